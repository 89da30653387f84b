#include "actors/admin/admin_call.hpp"

#include "actors/admin/body.hpp"
#include "actors/admin/preconditions.hpp"
#include "actors/admin/query.hpp"

#include <utility>

namespace troupe {

admin_reply invalid_request(field_problems problems) {
  return admin_error("invalid_request", "The request is not valid; see the details.",
                     std::move(problems));
}

std::variant<json::tree, admin_reply> json_body(const admin_call& call,
                                                std::string_view second_type) {
  const bool second = !second_type.empty() && is_media_type(call.content_type, second_type);
  if (!second && !is_media_type(call.content_type, "application/json"))
    return admin_error("unsupported_media_type",
                       "The body must be application/json, and its content-type must say so.");
  auto read = json::read_tree(call.body);
  if (const auto* fault = std::get_if<json::tree_fault>(&read))
    return admin_error("invalid_json", "The body is not valid JSON at line "
                                           + std::to_string(fault->line) + ", column "
                                           + std::to_string(fault->column) + ": " + fault->text
                                           + '.');
  return std::get<json::tree>(std::move(read));
}

field_problems nothing_given(const admin_call& call) {
  field_problems problems;
  refuse_parameters(call, problems);
  if (call.reads() || call.body.empty())
    return problems;
  const auto read = json::read_tree(call.body);
  if (const auto* tree = std::get_if<json::tree>(&read))
    body_reader(*tree, {}, problems).refuse_rest();
  else
    problems.push_back({{}, "invalid_json", "this path takes no body"});
  return problems;
}

void refuse_parameters(const admin_call& call, field_problems& problems) {
  query_reader(call.query, problems).refuse_rest();
}

} // namespace troupe
