#include "actors/admin/admin_reply.hpp"

#include "protocol/json/writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

namespace {

constexpr std::array<std::pair<std::string_view, int>, 17> statuses{{
    {"invalid_json", 400},
    {"invalid_request", 400},
    {"unauthorized", 401},
    {"forbidden", 403},
    {"not_found", 404},
    {"method_not_allowed", 405},
    {"already_exists", 409},
    {"fixed", 409},
    {"in_use", 409},
    {"busy", 409},
    {"revision_mismatch", 412},
    {"too_large", 413},
    {"unsupported_media_type", 415},
    {"too_many_failures", 429},
    {"storage_failed", 500},
    {"unavailable", 503},
    {"storage_full", 507},
}};

} // namespace

void admin_reply::field(std::string_view name, std::string_view value) {
  fields += name;
  fields += ": ";
  fields += value;
  fields += "\r\n";
}

int status_of(std::string_view code) {
  const auto at = std::ranges::find(statuses, code, &std::pair<std::string_view, int>::first);
  return at == statuses.end() ? 500 : at->second;
}

admin_reply admin_error(std::string_view code, std::string message,
                        std::vector<field_problem> details) {
  admin_reply r;
  r.status = status_of(code);
  r.code = code;
  r.message = std::move(message);
  r.details = std::move(details);
  return r;
}

admin_reply admin_error(const refused& why) {
  auto r = admin_error(why.reason.empty() ? "storage_failed" : why.reason, why.text, why.fields);
  r.revision = why.revision;
  return r;
}

std::string error_document(const admin_reply& error, std::string_view request_id) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("error");
  w.begin_object();
  w.member("code", error.code);
  if (error.code == "revision_mismatch") {
    w.key("revision");
    w.integer(error.revision);
  }
  w.member("message", error.message);
  w.member("request_id", request_id);
  if (!error.details.empty()) {
    w.key("details");
    w.begin_array();
    for (const auto& d : error.details) {
      w.begin_object();
      w.member("field", d.field);
      w.member("code", d.code);
      w.member("message", d.message);
      w.end_object();
    }
    w.end_array();
  }
  w.end_object();
  w.end_object();
  return out;
}

std::string etag(std::uint64_t revision) {
  return '"' + std::to_string(revision) + '"';
}

} // namespace troupe
