#include "sandbox/gemini_shapes.hpp"
#include "sandbox/models.hpp"
#include "sandbox/prompt.hpp"
#include "sandbox/surface.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace sandbox {

namespace {

constexpr std::chrono::hours lasts{1};

std::string rfc3339(instant t) {
  const auto whole = static_cast<std::time_t>(
      std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count());
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

json shown(const resource& r) {
  return {{"name", r.name},
          {"model", r.model},
          {"createTime", rfc3339(r.made)},
          {"updateTime", rfc3339(r.made)},
          {"expireTime", rfc3339(r.made + lasts)},
          {"displayName", ""},
          {"usageMetadata", {{"totalTokenCount", r.tokens}}}};
}

answer say(const json& j) {
  answer a;
  a.body = j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return a;
}

answer not_yours(const call& c) {
  auto f = make_fault("resource_forbidden", {});
  f.message = "CachedContent not found (or permission denied)";
  return error_answer(c, f);
}

answer make(const call& c, world& w) {
  const auto& body = *c.sent;
  const auto* model = member(body, "model");
  if (model == nullptr || !model->is_string()
      || !is_gemini_model(
          std::string_view{model->get_ref<const std::string&>()}.substr(std::min<std::size_t>(
              model->get_ref<const std::string&>().size(), std::string_view{"models/"}.size()))))
    return error_answer(c, bad_request("* CachedContent.model: must be models/{model}\n"));
  resource r;
  r.name = "cachedContents/sandbox" + std::to_string(c.number);
  r.key = c.key;
  r.model = model->get<std::string>();
  r.tokens = weigh(c.spoken, method::generate, body).tokens;
  r.made = now();
  auto answered = say(shown(r));
  w.keep(std::move(r));
  return answered;
}

} // namespace

answer cached_contents(const call& c, world& w) {
  if (c.resource.empty() && c.verb == "POST")
    return make(c, w);
  if (c.resource.empty()) {
    json list = json::array();
    for (const auto& r : w.resources_of(c.key, "cachedContents/"))
      list.push_back(shown(r));
    return say({{"cachedContents", std::move(list)}});
  }
  if (c.verb == "DELETE")
    return w.drop_resource(c.resource, c.key) ? say(json::object()) : not_yours(c);
  const auto found = w.find_resource(c.resource, c.key);
  return found ? say(shown(*found)) : not_yours(c);
}

} // namespace sandbox
