"""Runs the AWS CLI 1. Debian has only its successor, but Amazon ships it in an npm package, as a zip for AWS Lambda.

Unpacked at the first call, beside the zip.
"""

import os
import sys
import tempfile
import zipfile

here = os.path.dirname(os.path.abspath(__file__))
package = os.path.join(here, "..", "node_modules", "@aws-cdk", "asset-awscli-v1")
unpacked = os.path.join(package, "unpacked")
if not os.path.isdir(unpacked):
    folder = tempfile.mkdtemp(dir=package)
    with zipfile.ZipFile(os.path.join(package, "lib", "layer.zip")) as layer:
        layer.extractall(folder)
    os.rename(os.path.join(folder, "awscli"), unpacked)
sys.path.insert(0, unpacked)

from awscli.clidriver import main  # noqa: E402

sys.exit(main())
