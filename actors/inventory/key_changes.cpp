#include "actors/inventory/key_table.hpp"
#include "protocol/json/writer.hpp"

namespace troupe {

namespace {

struct comparing {
  std::string out;
  json::writer w{out};

  template <class T, class Write>
  void field(json::plain_key name, const T& before, const T& after, Write write) {
    if (before == after)
      return;
    w.key(name);
    w.begin_object();
    w.key("before");
    write(before);
    w.key("after");
    write(after);
    w.end_object();
  }

  void text(json::plain_key name, const std::string& before, const std::string& after) {
    field(name, before, after, [this](const std::string& t) { w.string(t); });
  }

  template <class Number>
  void number(json::plain_key name, Number before, Number after) {
    field(name, before, after, [this](Number n) { w.integer(n); });
  }

  void texts(json::plain_key name, const std::vector<std::string>& before,
             const std::vector<std::string>& after) {
    field(name, before, after, [this](const std::vector<std::string>& list) {
      w.begin_array();
      for (const auto& t : list)
        w.string(t);
      w.end_array();
    });
  }

  void limits(const std::vector<storage::limit>& before, const std::vector<storage::limit>& after) {
    field("limits", before, after, [this](const std::vector<storage::limit>& list) {
      w.begin_object();
      for (const auto& l : list) {
        const auto kind = std::string{to_string(l.kind)};
        w.foreign_key(l.model.empty() ? kind : l.model + ':' + kind);
        w.integer(l.amount);
      }
      w.end_object();
    });
  }
};

} // namespace

std::string changes_between(const key_table::entry& before, const key_table::entry& after) {
  comparing c;
  const auto& a = before.item;
  const auto& b = after.item;
  c.w.begin_object();
  c.field("enabled", a.enabled, b.enabled, [&](bool v) { c.w.boolean(v); });
  c.text("upstream", a.upstream, b.upstream);
  c.text("kind", a.kind, b.kind);
  c.text("name", a.name, b.name);
  c.text("domain", a.domain, b.domain);
  c.texts("groups", a.groups, b.groups);
  c.texts("tags", a.tags, b.tags);
  c.number("weight", a.weight, b.weight);
  c.number("tier", a.tier, b.tier);
  c.limits(a.limits, b.limits);
  c.field("proxy", before.proxy, after.proxy,
          [&](const secret& p) { c.w.string(p.empty() ? std::string{} : shown_proxy(p)); });
  c.text("note", a.note, b.note);
  c.w.end_object();
  return std::move(c.out);
}

} // namespace troupe
