#include "actors/admin/settings_document.hpp"

#include "actors/admin/document.hpp"

namespace troupe {

namespace {

void write_option(json::writer& w, const config::setting_description& o) {
  w.begin_object();
  w.member("path", o.path);
  write_raw(w, "value", o.value, "null");
  write_raw(w, "default", o.fallback, "null");
  w.member("type", o.type);
  w.member("allowed", o.allowed);
  w.member("doc", o.doc);
  w.boolean_member("live", o.live);
  w.boolean_member("fixed", o.fixed);
  w.key("origin");
  w.begin_object();
  w.member("layer", o.layer);
  w.member("source", o.source);
  w.end_object();
  w.end_object();
}

} // namespace

std::string settings_document(const settings_view& v, std::string_view prefix) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("revision");
  w.integer(v.revision);
  write_raw(w, "document", v.document, "{}");
  w.key("options");
  w.begin_array();
  if (v.loaded)
    for (const auto& o : config::describe_settings(*v.loaded))
      if (o.path.starts_with(prefix))
        write_option(w, o);
  w.end_array();
  write_texts(w, "awaiting_restart", v.awaiting_restart);
  w.end_object();
  return out;
}

std::string settings_changed_document(const settings_changed& c) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("revision");
  w.integer(c.revision);
  w.key("changes");
  w.begin_array();
  for (const auto& one : c.changes) {
    w.begin_object();
    w.member("path", one.path);
    write_raw(w, "before", one.before, "null");
    write_raw(w, "after", one.after, "null");
    w.member("layer_before", config::to_string(one.layer_before));
    w.member("layer_after", config::to_string(one.layer_after));
    w.member("applies", one.live ? "live" : "restart");
    w.end_object();
  }
  w.end_array();
  write_texts(w, "warnings", c.warnings);
  w.end_object();
  return out;
}

std::string settings_history_document(const settings_history& h) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("versions");
  w.begin_array();
  for (const auto& v : h.versions) {
    w.begin_object();
    w.key("revision");
    w.integer(v.revision);
    write_instant(w, "at", v.at_ms);
    w.member("who", v.who);
    w.member("from", v.from);
    w.member("what", v.what);
    write_raw(w, "document", v.document, "{}");
    w.end_object();
  }
  w.end_array();
  write_optional(w, "next",
                 h.more && !h.versions.empty() ? std::to_string(h.versions.back().revision)
                                               : std::string{});
  w.end_object();
  return out;
}

std::string settings_diff_document(const settings_diff& d) {
  std::string out;
  json::writer w{out};
  w.begin_object();
  w.key("differences");
  w.begin_array();
  for (const auto& one : d.differences) {
    w.begin_object();
    w.member("path", one.path);
    write_raw(w, "before", one.before, "null");
    write_raw(w, "after", one.after, "null");
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return out;
}

} // namespace troupe
