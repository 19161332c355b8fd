"""S3 by botocore: regions probed, objects moved, repositories mirrored. The only door to S3.

Knows restic's layout of a repository in a bucket, and nothing of restic's commands.
"""
