#include "actors/admin/credential_body.hpp"

#include "actors/admin/instants.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace troupe {

namespace {

constexpr std::array roles{storage::role::client, storage::role::viewer, storage::role::operator_};
constexpr std::array<std::string_view, 3> role_words{"client", "viewer", "operator"};

credential_fields read_fields(body_reader& body) {
  credential_fields f;
  f.name = body.text("name");
  f.note = body.text("note");
  if (const auto* expires = body.any("expires")) {
    const auto at = expires->what == json::kind::text ? parse_instant(expires->text) : std::nullopt;
    if (expires->what == json::kind::null)
      f.expires_at_ms = 0;
    else if (at && *at > 0)
      f.expires_at_ms = *at;
    else
      body.fault("expires", expires->what == json::kind::text ? "invalid_value" : "wrong_type",
                 "must be an instant such as \"2027-01-31T00:00:00Z\", or null for never");
  }
  f.models = body.texts("models");
  f.groups = body.texts("groups");
  f.limits = read_limits(body);
  return f;
}

bool holds(std::string_view text, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return part.empty()
         || std::search(text.begin(), text.end(), part.begin(), part.end(), [&](char a, char b) {
              return lower(a) == lower(b);
            }) != text.end();
}

} // namespace

add_credential read_new_credential(const json::tree& object, std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  add_credential q;
  const auto word = body.text("role");
  const auto at = word ? std::ranges::find(role_words, std::string_view{*word}) : role_words.end();
  if (at != role_words.end())
    q.what = roles[static_cast<std::size_t>(at - role_words.begin())];
  else if (word || object.find("role") == nullptr)
    body.fault("role", word ? "invalid_value" : "missing", "must be client, viewer or operator");
  q.fields = read_fields(body);
  if (object.find("name") == nullptr)
    body.fault("name", "missing", "is needed");
  body.refuse_rest();
  return q;
}

edit_credential read_credential_edit(const json::tree& object,
                                     std::vector<field_problem>& problems) {
  body_reader body(object, {}, problems);
  edit_credential q;
  q.fields = read_fields(body);
  body.refuse_rest();
  return q;
}

credential_filter read_credential_list(query_reader& query) {
  credential_filter f;
  if (const auto which = query.word("role", role_words))
    f.what = roles[*which];
  f.text = query.text("q");
  query.refuse_rest();
  return f;
}

bool matches(const credential_filter& f, const credential_view& v) {
  return (!f.what || v.item.what == *f.what)
         && (holds(v.item.name, f.text) || holds(v.item.note, f.text)
             || holds(storage::credential_name(v.id), f.text));
}

} // namespace troupe
