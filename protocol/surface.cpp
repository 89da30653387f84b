#include "protocol/surface.hpp"

#include <array>

namespace troupe {
namespace {

/// `path` is `prefix`, or goes on below it.
bool under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

} // namespace

surface surface_of(std::string_view path) {
  static constexpr std::array<std::string_view, 4> gemini{"/v1beta", "/gemini", "/vertex-express",
                                                          "/upload"};
  if (under(path, "/v1/messages"))
    return surface::anthropic;
  for (const auto prefix : gemini)
    if (under(path, prefix))
      return surface::gemini;
  return surface::openai;
}

} // namespace troupe
