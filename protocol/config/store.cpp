#include "protocol/config/store.hpp"

#include "protocol/config/names.hpp"
#include "protocol/config/store_objects.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace troupe::config {

namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= given_name_length_max
         && std::all_of(text.begin(), text.end(), [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || c == '.' || c == '-' || c == '_';
            });
}

bool is_secret(std::string_view text) {
  return !text.empty() && text.size() <= secret_length_max && is_printable(text, false);
}

/// One call of `store`: what every kind of field has in common.
struct storing {
  const option& o;
  const node& value;
  bool lenient;
  store_outcome& outcome;

  void refuse(std::size_t line, std::string text, std::string_view code = "invalid_value") {
    outcome.faults.push_back({line, std::move(text), code});
  }

  /// The usual fault: what is allowed, and what stands there instead.
  void refuse(std::string_view code = "invalid_value") {
    std::string text = "must be " + allowed(o);
    if (const auto kind = expected_kind(); kind != value.kind) {
      text += "; this is " + std::string{describe(value.kind)};
      code = "wrong_type";
    }
    refuse(value.line, std::move(text), code);
  }

  node_kind expected_kind() const {
    switch (o.type) {
    case option_type::boolean:
      return node_kind::boolean;
    case option_type::integer:
      return node_kind::integer;
    case option_type::bytes:
      return value.kind == node_kind::integer ? node_kind::integer : node_kind::text;
    case option_type::choices:
    case option_type::texts:
    case option_type::origins:
    case option_type::secrets:
    case option_type::header_names:
    case option_type::proxies:
    case option_type::objects:
    case option_type::json:
      return node_kind::list;
    case option_type::headers:
    case option_type::limits:
    case option_type::aliases:
    case option_type::fallbacks:
      return node_kind::object;
    default:
      return node_kind::text;
    }
  }

  bool is(node_kind kind) {
    if (value.kind == kind)
      return true;
    refuse();
    return false;
  }

  bool in_range(std::int64_t number) {
    if (number >= o.least && number <= o.most)
      return true;
    refuse("out_of_range");
    return false;
  }

  void operator()(bool* target) {
    if (is(node_kind::boolean))
      *target = value.truth;
  }

  template <class Integer>
  void whole(Integer* target) {
    if (o.type == option_type::bytes && value.kind == node_kind::text) {
      const auto bytes = parse_bytes(value.text);
      if (!bytes)
        refuse();
      else if (in_range(static_cast<std::int64_t>(*bytes)))
        *target = static_cast<Integer>(*bytes);
    } else if (is(node_kind::integer) && in_range(value.whole)) {
      *target = static_cast<Integer>(value.whole);
    }
  }

  void operator()(std::uint32_t* target) { whole(target); }
  void operator()(std::size_t* target) { whole(target); }

  void operator()(duration* target) {
    if (value.kind == node_kind::integer && value.whole == 0 && o.least == 0) {
      *target = duration{0};
      return;
    }
    if (value.kind == node_kind::integer)
      return refuse(value.line, "needs a unit: " + allowed(o), "wrong_type");
    if (!is(node_kind::text))
      return;
    const auto span = parse_duration(value.text);
    if (!span)
      refuse();
    else if (in_range(std::chrono::duration_cast<std::chrono::milliseconds>(*span).count()))
      *target = *span;
  }

  /// Whether a text fits the type of the option.
  bool is_text(std::string_view text) const {
    switch (o.type) {
    case option_type::digest:
      return is_sha256(text);
    case option_type::text:
      return is_name(text);
    case option_type::zone:
      return is_zone_name(text);
    default:
      return text.find('\0') == std::string_view::npos && text.size() <= path_length_max;
    }
  }

  /// Whether an element of a list fits.
  bool is_element(std::string_view text) const {
    switch (o.type) {
    case option_type::origins:
      return is_origin(text);
    case option_type::header_names:
      return is_header_name(text);
    default:
      return !text.empty() && text.size() <= text_length_max && is_printable(text, false);
    }
  }

  void operator()(std::string* target) {
    if (o.type == option_type::json)
      return list_of_objects(target);
    if (!is(node_kind::text))
      return;
    if (o.type == option_type::url) {
      const auto fault = fault_of_base_url(value.text);
      if (!fault.empty())
        return refuse(value.line, std::string{fault});
      *target = normalized_base_url(value.text);
      return;
    }
    if (!is_text(value.text))
      return refuse();
    *target = o.type == option_type::digest ? lower(value.text) : value.text;
  }

  /// Gemini's safety settings: passed on as they are, so only their outline is checked.
  void list_of_objects(std::string* target) {
    if (!is(node_kind::list))
      return;
    for (const auto& item : value.items) {
      const auto* category = item.find("category");
      const auto* threshold = item.find("threshold");
      if (item.members.size() != 2 || category == nullptr || threshold == nullptr
          || category->kind != node_kind::text || threshold->kind != node_kind::text)
        refuse(item.line, "each must be an object of category and threshold, both texts",
               item.kind == node_kind::object ? "invalid_value" : "wrong_type");
    }
    if (outcome.faults.empty())
      *target = value.items.empty() ? std::string{} : write_json(value);
  }

  /// Calls `take` with each text of a list.
  template <class Take>
  bool each_text(Take take) {
    if (!is(node_kind::list))
      return false;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto& item = value.items[i];
      if (item.kind != node_kind::text)
        refuse(item.line,
               "element " + std::to_string(i) + " must be a text; this is "
                   + std::string{describe(item.kind)},
               "wrong_type");
      else
        take(i, item);
    }
    return outcome.faults.empty();
  }

  void operator()(std::vector<std::string>* target) {
    std::vector<std::string> texts;
    if (value.items.size() > texts_max)
      return refuse(value.line, "holds more than " + std::to_string(texts_max) + " elements",
                    "out_of_range");
    const bool good = each_text([&](std::size_t i, const node& item) {
      // Names of headers are the same in any case, and are compared in lower case.
      auto text = o.type == option_type::header_names ? lower(item.text) : item.text;
      if (!is_element(text))
        refuse(item.line, "element " + std::to_string(i) + " does not fit: must be " + allowed(o));
      else if (std::find(texts.begin(), texts.end(), text) == texts.end())
        texts.push_back(std::move(text));
    });
    if (good)
      *target = std::move(texts);
  }

  void operator()(std::vector<secret>* target) {
    if (o.type == option_type::proxies)
      return proxies(target);
    std::vector<secret> keys;
    std::unordered_set<std::string_view> seen;
    const bool good = each_text([&](std::size_t i, const node& item) {
      const auto which = "element " + std::to_string(i);
      if (is_placeholder(item.text)) {
        ++outcome.placeholders;
        if (!lenient)
          refuse(item.line, which + " is a placeholder, not a key");
      } else if (!is_secret(item.text)) {
        refuse(item.line, which + " is not a key: empty, or with a space or a control character");
      } else if (!seen.insert(item.text).second) {
        ++outcome.repeated;
      } else {
        keys.emplace_back(item.text);
      }
    });
    if (good)
      *target = std::move(keys);
  }

  void proxies(std::vector<secret>* target) {
    std::vector<secret> all;
    if (value.items.size() > texts_max)
      return refuse(value.line, "holds more than " + std::to_string(texts_max) + " elements",
                    "out_of_range");
    const bool good = each_text([&](std::size_t i, const node& item) {
      if (const auto fault = fault_of_proxy(item.text); !fault.empty())
        refuse(item.line, "element " + std::to_string(i) + ' ' + std::string{fault});
      else if (std::find(all.begin(), all.end(), secret{item.text}) != all.end())
        ++outcome.repeated;
      else
        all.emplace_back(item.text);
    });
    if (good)
      *target = std::move(all);
  }

  void operator()(secret* target) {
    if (!is(node_kind::text))
      return;
    if (is_placeholder(value.text)) {
      ++outcome.placeholders;
      if (!lenient)
        refuse(value.line, "is a placeholder that everybody knows; choose a secret");
    } else if (!is_secret(value.text) || value.text.size() < credential_length_min) {
      refuse();
    } else {
      *target = secret{value.text};
    }
  }

  /// A value with members of its own, by one of the readers of `store_objects.hpp`.
  template <class T>
  void object(T* target, T (*read)(const node&, std::vector<value_fault>&)) {
    if (!is(node_kind::object))
      return;
    auto all = read(value, outcome.faults);
    if (outcome.faults.empty())
      *target = std::move(all);
  }

  void operator()(std::map<std::string, secret>* target) { object(target, &read_headers); }
  void operator()(std::vector<limit>* target) { object(target, &read_limits); }
  void operator()(std::map<std::string, std::string>* target) { object(target, &read_aliases); }
  void operator()(std::map<std::string, std::vector<std::string>>* target) {
    object(target, &read_fallbacks);
  }

  void operator()(listen_address* target) {
    if (!is(node_kind::text))
      return;
    if (auto where = parse_listen_address(value.text))
      *target = std::move(*where);
    else
      refuse();
  }

  /// The place of a word among the choices; one near to it is offered.
  std::optional<std::size_t> choice_index(const node& word) {
    const auto names = choices_of(o);
    const auto found = std::find(names.begin(), names.end(), word.text);
    if (found != names.end())
      return static_cast<std::size_t>(found - names.begin());
    std::string text = "must be " + allowed(o);
    if (const auto near = nearest_name(word.text, names); !near.empty())
      text += "; did you mean \"" + std::string{near} + "\"?";
    refuse(word.line, std::move(text));
    return std::nullopt;
  }

  void operator()(const choice_field& target) {
    if (!is(node_kind::text))
      return;
    if (const auto index = choice_index(value))
      target.set(target.target, *index);
  }

  void operator()(const switches_field& target) {
    std::vector<bool> on(target.size(), false);
    const bool good = each_text([&](std::size_t, const node& item) {
      if (const auto index = choice_index(item))
        on[*index] = true;
    });
    if (good)
      for (std::size_t i = 0; i < target.size(); ++i)
        *target[i] = on[i];
  }

  void operator()(std::monostate) { refuse(); }
};

} // namespace

store_outcome store(const option& o, const field& target, const node& value, bool lenient) {
  store_outcome outcome;
  std::visit(storing{o, value, lenient, outcome}, target);
  return outcome;
}

bool is_placeholder(std::string_view text) {
  constexpr std::array known{"sk-123456", "sk-1234567890", "changeme", "change-me",  "password",
                             "token",     "secret",        "example",  "placeholder"};
  const auto low = lower(text);
  // A random key holds six x in a row once in thirty million.
  return std::find(known.begin(), known.end(), low) != known.end() || low.starts_with("your")
         || low.starts_with("sk-your") || low.starts_with("sk-xxx") || low.starts_with('<')
         || low.find("...") != std::string::npos || low.find("xxxxxx") != std::string::npos;
}

bool is_reserved_header(std::string_view name) {
  constexpr std::array reserved{"host",
                                "content-length",
                                "connection",
                                "authorization",
                                "content-type",
                                "transfer-encoding",
                                "upgrade",
                                "x-goog-api-key",
                                "accept-encoding",
                                "te",
                                "expect",
                                "trailer",
                                "keep-alive",
                                "proxy-connection"};
  return std::find(reserved.begin(), reserved.end(), lower(name)) != reserved.end();
}

} // namespace troupe::config
