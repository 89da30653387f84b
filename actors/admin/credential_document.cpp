#include "actors/admin/credential_document.hpp"

#include "actors/admin/document.hpp"

namespace troupe {

namespace {

void write_credential(json::writer& w, const credential_view& c, std::int64_t now_ms) {
  const auto expires = c.item.expires_at_ms;
  w.begin_object();
  w.member("id", storage::credential_name(c.id));
  w.key("revision");
  w.integer(c.header.revision);
  w.member("name", c.item.name);
  w.member("role", to_string(c.item.what));
  w.member("note", c.item.note);
  write_instant(w, "expires", expires);
  write_texts(w, "models", c.item.models);
  write_texts(w, "groups", c.item.groups);
  write_limits(w, "limits", c.item.limits);
  write_origin(w, c.origin, c.origin_text);
  write_instant(w, "created", c.header.created_at_ms);
  write_instant(w, "changed", c.header.changed_at_ms);
  w.boolean_member("expired", expires != 0 && expires <= now_ms);
  w.end_object();
}

} // namespace

std::string credential_document(const credential_view& c, std::int64_t now_ms) {
  std::string out;
  json::writer w{out};
  write_credential(w, c, now_ms);
  return out;
}

std::string credential_list_document(const std::vector<credential_view>& all,
                                     const credential_filter& filter, std::int64_t now_ms) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("credentials");
  w.begin_array();
  for (const auto& c : all)
    if (matches(filter, c))
      write_credential(w, c, now_ms);
  w.end_array();
  w.end_object();
  return out;
}

std::string new_credential_document(const new_credential& made, std::int64_t now_ms) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("credential");
  write_credential(w, made.view, now_ms);
  w.member("secret", made.characters.reveal());
  w.end_object();
  return out;
}

} // namespace troupe
