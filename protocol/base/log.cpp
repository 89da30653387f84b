#include "protocol/base/log.hpp"

namespace troupe {

std::string_view to_string(log_area area) {
  switch (area) {
  case log_area::http:
    return "http";
  case log_area::upstream:
    return "upstream";
  case log_area::pool:
    return "pool";
  case log_area::storage:
    return "storage";
  case log_area::cluster:
    return "cluster";
  case log_area::security:
    return "security";
  }
  return "unknown";
}

std::string_view to_string(log_level level) {
  switch (level) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  }
  return "unknown";
}

} // namespace troupe
