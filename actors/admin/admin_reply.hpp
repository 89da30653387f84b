#pragma once

#include "actors/inventory/answer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What the admin port answers, before it is put on the wire: a value, so that everything that
/// decides an answer can be tested without a socket.
struct admin_reply {
  int status = 200;
  std::string body;                           ///< empty with 204
  std::string_view type = "application/json"; ///< of the body
  std::string fields;                         ///< further header lines
  /// An error's code, and what is wrong where; the body is made from them when the request's
  /// id is at hand.
  std::string code;
  std::string message;
  std::vector<field_problem> details;
  std::uint64_t revision = 0;

  admin_reply() {}
  explicit admin_reply(std::string document) : body(std::move(document)) {}
  admin_reply(int s, std::string document) : status(s), body(std::move(document)) {}

  bool is_error() const { return !code.empty(); }
  void field(std::string_view name, std::string_view value);
};

/// An error of this code, with the status that belongs to it.
admin_reply admin_error(std::string_view code, std::string message,
                        std::vector<field_problem> details = {});

/// Why the inventory did not do it, as the client is told.
admin_reply admin_error(const refused& why);

/// The status of a code: the table of docs/api/admin.md; 500 for a code that is not there.
int status_of(std::string_view code);

/// `{"error":{...}}`.
std::string error_document(const admin_reply& error, std::string_view request_id);

/// `"7"`, for `ETag`.
std::string etag(std::uint64_t revision);

} // namespace troupe
