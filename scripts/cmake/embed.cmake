# Writes OUTPUT, a C++ file that defines the function FUNCTION of namespace troupe, which gives
# the bytes of INPUT as a string_view. Runs with cmake -P, also while building.
#
# Bytes as numbers, not as a literal: no compiler bounds them, and nothing has to be escaped.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
                     "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT}.new "// Made by scripts/cmake/embed.cmake.
#include <string_view>

namespace troupe {

static constexpr unsigned char content[] = {
${bytes}
};

std::string_view ${FUNCTION}() {
  return {reinterpret_cast<const char*>(content), sizeof content};
}

} // namespace troupe
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
