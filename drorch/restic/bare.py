"""restic alone, as the recovery kit prints it: for somebody who has nothing but paper and restic.

For every restic from 0.14 on. Secrets are read from files of the folder one stands in. Nothing
locks, so that keys that may only read are enough, and nothing is written in a region.
"""

from drorch.core.kit import access_files
from drorch.core.model import Region
from drorch.core.typed import read_from, typed, value
from drorch.restic.repository import repository_url

#: Where restored data comes to lie.
RESTORED = "restored"


def opened_region(region: Region) -> tuple[str, ...]:
    """What lets restic into a region; `$BASE` is then where everything of drorch's lies there."""
    access, secret = access_files(region)
    return (
        *typed("export", f"AWS_ACCESS_KEY_ID={read_from(access)}"),
        *typed("export", f"AWS_SECRET_ACCESS_KEY={read_from(secret)}"),
        *typed("export", f"AWS_DEFAULT_REGION={value(region.location)}"),
        *typed(f"BASE={value(repository_url(region, '').rstrip('/'))}"),
    )


def restored(folder: str, password: str, name: str) -> tuple[str, ...]:
    """Bring back the newest snapshot of a repository in that folder of the open region."""
    return (
        *typed("export", f'RESTIC_REPOSITORY="$BASE/{folder}"'),
        *typed("export", f"RESTIC_PASSWORD={read_from(password)}"),
        *typed("restic", "snapshots", "--no-lock", "--latest", "1"),
        *typed("restic", "restore", "latest", "--no-lock", "--target", value(f"{RESTORED}/{name}")),
    )
