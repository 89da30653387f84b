#include "sandbox/prompt.hpp"

#include "sandbox/gemini_shapes.hpp"

#include <nlohmann/json.hpp>

#include <functional>

namespace sandbox {

namespace {

constexpr std::uint64_t image_tokens = 258;

/// Collects texts in the order in which a model reads them.
class scale {
public:
  void text(std::string_view t) {
    tokens_ += tokens_of(t);
    if (beginning_.size() < prefix_bytes)
      beginning_ += t.substr(0, prefix_bytes - beginning_.size());
  }
  void image() { tokens_ += image_tokens; }

  prompt weight() const {
    prompt p{tokens_, 0};
    if (beginning_.size() == prefix_bytes)
      p.prefix = std::hash<std::string>{}(beginning_) | 1U;
    return p;
  }

private:
  std::uint64_t tokens_ = 0;
  std::string beginning_;
};

/// A string, or a list of parts with a `text` each.
void add(scale& s, const json& content) {
  if (content.is_string())
    return s.text(content.get_ref<const std::string&>());
  if (!content.is_array())
    return;
  std::string text;
  for (const auto& part : content) {
    const auto* t = member(part, "text");
    if (t != nullptr && t->is_string())
      text += t->get_ref<const std::string&>();
    if (member(part, "inlineData") != nullptr)
      s.image();
  }
  s.text(text);
}

void add(scale& s, const json& from, const char* name) {
  if (const auto* content = member(from, name))
    add(s, *content);
}

/// Each item's `inside`, in order.
void add_each(scale& s, const json& from, const char* list, const char* inside) {
  const auto* items = member(from, list);
  if (items == nullptr)
    return;
  if (!items->is_array())
    return add(s, *items);
  for (const auto& item : *items) {
    if (item.is_string())
      add(s, item);
    else
      add(s, item, inside);
  }
}

} // namespace

prompt weigh(dialect spoken, method what, const json& body) {
  scale s;
  switch (spoken) {
  case dialect::gemini:
  case dialect::vertex:
    if (const auto* system = member(body, "systemInstruction"))
      add(s, *system, "parts");
    add_each(s, body, "contents", "parts");
    break;
  case dialect::openai:
    if (what == method::responses)
      add(s, body, "instructions");
    add_each(s, body, what == method::chat ? "messages" : "input", "content");
    break;
  case dialect::anthropic:
    add(s, body, "system");
    add_each(s, body, "messages", "content");
    break;
  }
  return s.weight();
}

} // namespace sandbox
