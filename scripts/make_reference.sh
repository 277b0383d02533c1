#!/usr/bin/env bash
# Makes the reference: build/reference/index.html, from what the public headers say and the pages in
# docs/reference. Fails where a public name is not described.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_packages doxygen
rm -rf build/reference
mkdir -p build/reference
doxygen docs/reference/Doxyfile || die "make_reference: the warnings above are errors"
echo "make_reference: ok ($PWD/build/reference/index.html)"
