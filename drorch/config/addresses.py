"""A region that is named on the command line, held to what a configuration's is held to."""

from pydantic import ValidationError

from drorch.config.models import RegionShape
from drorch.core.errors import UsageError
from drorch.core.model import Region

#: A command line says nothing of where it lies.
_NOWHERE = "ZZ"


def region_given(endpoint: str, bucket: str, prefix: str, location: str) -> Region:
    """The region; UsageError for what is no endpoint, bucket or prefix."""
    try:
        shape = RegionShape(
            endpoint=endpoint,
            bucket=bucket,
            prefix=prefix,
            location=location,
            jurisdiction=_NOWHERE,
        )
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0])
        context = first.get("ctx") or {}
        hint = str(context.get("hint") or "see drorch recover -h")
        raise UsageError(f"--{option}: {first['msg']}", hint) from None
    return Region("(given)", shape.endpoint, shape.bucket, _NOWHERE, shape.prefix, shape.location)
