#include "protocol/base/limit.hpp"

namespace troupe {

std::string_view to_string(limit_kind kind) {
  switch (kind) {
  case limit_kind::rpm:
    return "rpm";
  case limit_kind::tpm:
    return "tpm";
  case limit_kind::input_tpm:
    return "input_tpm";
  case limit_kind::output_tpm:
    return "output_tpm";
  case limit_kind::rpd:
    return "rpd";
  case limit_kind::tpd:
    return "tpd";
  case limit_kind::concurrency:
    return "concurrency";
  }
  return "unknown";
}

std::string_view to_string(limit_source source) {
  switch (source) {
  case limit_source::declared:
    return "declared";
  case limit_source::told:
    return "told";
  case limit_source::estimated:
    return "estimated";
  }
  return "unknown";
}

} // namespace troupe
