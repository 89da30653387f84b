#include "actors/front/forward_answers.hpp"

#include "protocol/upstream/forward.hpp"

#include <utility>

namespace troupe {

std::variant<std::string, inner_error, client_error> forward_whole::translate(std::string body) {
  auto scan = upstream::scan_whole(kind_, body);
  usage_ = scan.usage;
  if (!scan.well_formed)
    return make_client_error(fault::upstream_error, "The upstream's answer is not a JSON object.");
  if (scan.is_error)
    return inner_error{scan.error_status, std::move(body)};
  if (expects_content_ && scan.empty)
    return make_client_error(fault::empty_response,
                             "The upstream answered without content and without a reason.");
  response_id_ = std::move(scan.id);
  return body;
}

std::optional<std::variant<inner_error, client_error>> forward_events::feed(std::string_view bytes,
                                                                            std::string& out) {
  auto fault = stream_.feed(bytes, out);
  if (!fault)
    return std::nullopt;
  if (auto* error = std::get_if<upstream::forward_error>(&*fault))
    return inner_error{error->status, std::move(error->body)};
  return std::get<client_error>(std::move(*fault));
}

} // namespace troupe
