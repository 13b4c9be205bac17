"""Parts of file names that several products share."""

#: vX.Y.Z-NN, in which each number may have several digits.
VERSION = r"v(?P<version>\d+(?:\.\d+)*(?:-\d+)?)"
