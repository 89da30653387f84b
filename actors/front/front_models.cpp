// The model list of the OpenAI surface: fetched with a leased key, kept for a while.

#include "actors/front/front.hpp"

#include "http/core/percent.hpp"
#include "protocol/openai/models.hpp"

#include <algorithm>
#include <array>

namespace troupe {

namespace {
constexpr std::size_t pages_max = 50;
} // namespace

http::task<std::optional<client_error>>
front::fetch_gemini_models(visit& v, const model_target& from, std::vector<std::string>& ids) {
  std::string token;
  for (std::size_t page = 0; page < pages_max; ++page) {
    upstream_call call;
    call.method = "GET";
    call.path = "/v1beta/models?pageSize=1000";
    if (!token.empty())
      call.path += "&pageToken=" + http::percent_encode(token);
    complete(call, v, from, true);
    call.wait_max = duration::zero();
    auto body = co_await attempts_.fetch(v.with, call, v.x.gone());
    if (auto* e = std::get_if<client_error>(&body))
      co_return std::move(*e);
    auto next = openai::read_model_page(std::get<std::string>(body), ids);
    if (!next) {
      auto e = make_client_error(fault::upstream_error, next.error().text);
      co_return e;
    }
    token = *std::move(next);
    if (token.empty())
      break;
  }
  co_return std::nullopt;
}

/// The lists of all upstreams that have one; of those that do not answer, none is shown.
http::task<std::optional<client_error>> front::refresh_models(visit& v) {
  const auto now = p_.loop.now();
  const auto& config = *v.with.config;
  const bool known = models_.filled && models_.edition == config.edition;
  if (known && now - models_.fetched < config.models_ttl)
    co_return std::nullopt;
  constexpr std::array kinds{upstream_kind::gemini, upstream_kind::openai};
  std::vector<std::string> ids, forwarded;
  std::optional<client_error> failed;
  bool any = false;
  const auto sources = v.with.routes.targets({}, kinds);
  for (const auto& from : sources) {
    std::optional<client_error> e;
    if (from.kind == upstream_kind::gemini) {
      e = co_await fetch_gemini_models(v, from, ids);
    } else {
      upstream_call call;
      call.method = "GET";
      call.path = "/v1/models";
      complete(call, v, from, true);
      call.wait_max = duration::zero();
      auto body = co_await attempts_.fetch(v.with, call, v.x.gone());
      if (auto* bad = std::get_if<client_error>(&body))
        e = std::move(*bad);
      else if (!openai::read_openai_models(std::get<std::string>(body), forwarded))
        e = make_client_error(fault::upstream_error, "The upstream's model list is none.");
    }
    any = any || !e;
    if (e && !failed)
      failed = std::move(e);
  }
  if (!any) {
    if (known)
      co_return std::nullopt; // an old list is better than none
    auto e = make_client_error(fault::no_usable_key, "No usable upstream key is available.");
    if (failed)
      e = std::move(*failed);
    co_return e;
  }
  models_.fetched = now;
  models_.filled = true;
  models_.edition = config.edition;
  models_.known = config.real_models;
  models_.known.insert(ids.begin(), ids.end());
  models_.offered = openai::offered_models(ids, config.models.hidden, config.translation);
  const auto offer = [&](const std::string& id) {
    if (std::ranges::find(models_.offered, id) == models_.offered.end()
        && std::ranges::find(config.models.hidden, id) == config.models.hidden.end())
      models_.offered.push_back(id);
  };
  std::ranges::for_each(forwarded, offer);
  std::ranges::for_each(v.with.routes.aliases(), offer);
  co_return std::nullopt;
}

http::task<call_summary> front::list_models(visit& v) {
  if (auto e = co_await refresh_models(v))
    co_return co_await tell(v, std::move(*e), surface::openai);
  http::response_head head(200, "application/json");
  head.fields = v.fields;
  auto offered = models_.offered;
  std::erase_if(offered, [&](const std::string& id) { return refuse_model(v, id).has_value(); });
  const auto body = openai::render_model_list(offered);
  call_summary end;
  end.gone = !co_await v.x.respond(head, body);
  end.status = 200;
  co_return end;
}

http::task<call_summary> front::get_model(visit& v, std::string_view encoded) {
  if (auto e = co_await refresh_models(v))
    co_return co_await tell(v, std::move(*e), surface::openai);
  auto id = http::percent_decode(encoded);
  if (id.starts_with("models/"))
    id.erase(0, 7);
  const bool offered =
      std::find(models_.offered.begin(), models_.offered.end(), id) != models_.offered.end();
  if (!offered || refuse_model(v, id)) {
    client_error e;
    e.what = fault::not_found;
    e.param = "model";
    e.message = "The model '" + id + "' does not exist here.";
    co_return co_await tell(v, std::move(e), surface::openai);
  }
  http::response_head head(200, "application/json");
  head.fields = v.fields;
  const auto body = openai::render_model(id);
  call_summary end;
  end.gone = !co_await v.x.respond(head, body);
  end.status = 200;
  co_return end;
}

} // namespace troupe
