#pragma once

#include "actors/admin/admin_reply.hpp"
#include "actors/admin/routes.hpp"
#include "actors/inventory/inventory_messages.hpp"
#include "http/cancel.hpp"
#include "protocol/json/tree.hpp"

#include <string_view>
#include <variant>
#include <vector>

namespace troupe {

/// One request of the admin port, once it is known who asks and that he may. Views live as long
/// as the exchange.
struct admin_call {
  admin_route route;
  std::string_view method;
  std::string_view query;
  std::string_view body;
  std::string_view content_type;
  asker by;
  storage::role role = storage::role::viewer;
  expected_revision expected;
  http::cancel_source* gone = nullptr; ///< cancelled when the client leaves

  admin_call() {}

  bool reads() const { return method == "GET" || method == "HEAD"; }
};

using field_problems = std::vector<field_problem>;

/// 400 with everything that is wrong.
admin_reply invalid_request(field_problems problems);

/// The body, if its type is JSON (or `second_type`) and it is JSON; else why not.
std::variant<json::tree, admin_reply> json_body(const admin_call& call,
                                                std::string_view second_type = {});

/// For paths that take no parameters and no body: an empty object is none either.
field_problems nothing_given(const admin_call& call);

/// For paths that take a body and no parameters.
void refuse_parameters(const admin_call& call, field_problems& problems);

} // namespace troupe
