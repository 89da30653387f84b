#include "sandbox/world.hpp"

#include "sandbox/answer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sandbox {

namespace {

const char* noun_of(measure counts) {
  switch (counts) {
  case measure::requests:
    return "";
  case measure::tokens:
    return " tokens";
  case measure::input_tokens:
    return " input tokens";
  case measure::output_tokens:
    return " output tokens";
  case measure::in_flight:
    return " at one time";
  }
  return "";
}

std::string domain_of(const limit& l, const arrival& a, const std::string& project) {
  const auto owner =
      (l.shared_by == scope::project || l.shared_by == scope::project_model) && !project.empty()
          ? "project=" + project
          : "key=" + std::string{a.key};
  const bool per_model = l.shared_by == scope::key_model || l.shared_by == scope::project_model;
  auto d = owner + (per_model ? " model=" + std::string{a.model} : "") + " allows "
           + std::to_string(l.allowed) + noun_of(l.counts);
  if (l.counts == measure::in_flight)
    return d;
  if (l.until_midnight)
    return d + " a day";
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(l.window).count();
  return d + " in " + std::to_string(ms) + " ms";
}

/// A rule that gives every request a constant answer.
bool fixes_all(const rule& r) {
  return r.fixed && r.model.empty() && !r.only && r.skip == 0 && !r.first && r.probability == 1;
}

/// A rule under which nobody looks at a body.
bool looks_at_nothing(const rule& r) {
  return r.fixed || !r.error.empty() || r.answer;
}

bool holds_for(const rule& r, const arrival& a) {
  return (r.model.empty() || r.model == a.model) && (!r.only || *r.only == a.what);
}

} // namespace

script* world::find(std::string_view key) {
  const auto found = scripts_.find(key);
  return found == scripts_.end() ? nullptr : &found->second;
}

std::shared_ptr<const rule> world::bend(script& s, const arrival& a) {
  for (auto& live : s.rules) {
    const auto& r = *live.what;
    if (!holds_for(r, a))
      continue;
    const auto nth = live.matched++;
    if (nth < r.skip || (r.first && nth - r.skip >= *r.first))
      continue;
    if (r.probability < 1 && std::uniform_real_distribution<>{0, 1}(dice_) >= r.probability)
      continue;
    return live.what;
  }
  return nullptr;
}

std::vector<applied_limit> world::limits_of(const script* own, const script* all, const arrival& a,
                                            const std::string& project) const {
  std::vector<applied_limit> applied;
  const auto* from = own != nullptr && !own->limits.empty() ? own : all;
  if (from == nullptr || !spends(a.what))
    return applied;
  for (const auto& l : from->limits)
    if (l.model.empty() || l.model == a.model)
      applied.push_back(
          {domain_of(l, a, project), l.allowed, l.window, l.until_midnight, l.counts});
  return applied;
}

/// Counts a request of that source, and says whether it is one too many.
bool world::throttled(const script& s, const arrival& a, instant t) {
  if (s.per_source == 0 || !spends(a.what))
    return false;
  auto& seen = sources_[s.key + '\n' + std::string{a.source}];
  seen.forget(t, s.source_window);
  if (seen.sum() >= s.per_source)
    return true;
  seen.add(t, 1);
  return false;
}

verdict world::arrive(const arrival& a) {
  const std::lock_guard guard{mutex_};
  // Read under the lock: what the judge sees must never go back in time.
  const auto t = now();
  verdict v;
  v.who = counters_.of(a.key, a.model);
  counters_.arrived(*v.who, name_of(a.what), a.source, t);
  auto* own = scripts_.empty() ? nullptr : find(a.key);
  auto* all = scripts_.empty() ? nullptr : find("*");
  if (settings_.strict_keys && own == nullptr && !settings_.keys.contains(a.key)) {
    v.key_unknown = true;
    return v;
  }
  if (own != nullptr)
    v.project = own->project;
  if (own != nullptr)
    v.bent = bend(*own, a);
  if (!v.bent && all != nullptr)
    v.bent = bend(*all, a);
  v.source_throttled = (own != nullptr && throttled(*own, a, t))
                       || (all != nullptr && own != all && throttled(*all, a, t));
  const auto limits = limits_of(own, all, a, v.project);
  if (spends(a.what))
    look_into(a, v, limits, t);
  if ((own != nullptr && own->tells_limits) || (all != nullptr && all->tells_limits))
    v.told = limiter_.standings(limits, t);
  return v;
}

/// Lets the judge see an arrival that spends, the limiter decide, and the cache remember.
void world::look_into(const arrival& a, verdict& v, const std::vector<applied_limit>& limits,
                      instant t) {
  const bool fixed = v.bent && v.bent->fixed;
  const auto input = fixed ? fixed_input_tokens : a.input_tokens;
  judge_.arrived(limits, a.key, a.model, t, input);
  if (!limits.empty())
    v.refused = limiter_.admit(limits, input, t);
  v.pending.admitted = !v.refused;
  for (const auto& l : limits)
    if (settles(l))
      v.pending.limits.push_back(l);
  if (v.refused || v.source_throttled || (v.bent && (!v.bent->error.empty() || v.bent->answer)))
    return;
  const auto lasts = duration{static_cast<std::int64_t>(settings_.cache_s * 1e9)};
  if (!fixed && a.prefix != 0 && cache_.see(a.key, a.model, a.prefix, t, lasts))
    v.cached_tokens = prefix_bytes / bytes_per_token;
  v.who->prompt_tokens += input;
  v.who->cached_tokens += v.cached_tokens;
}

void world::settle(const arrival& a, tallies& who, const ending& e, const pending_limits& pending) {
  const std::lock_guard guard{mutex_};
  const auto t = now();
  --who.in_flight;
  who.output_tokens += e.output_tokens;
  if (e.status != 0) {
    char text[8];
    const auto end = text + std::snprintf(text, sizeof text, "%d", e.status);
    count(who.answers, {text, static_cast<std::size_t>(end - text)});
  }
  if (!e.scripted.empty())
    count(who.scripted, e.scripted);
  if (e.how == departure::client_left)
    ++who.client_left;
  if (e.how == departure::broken)
    ++who.broken;
  if (!pending.limits.empty()) {
    judge_.ended(pending.limits, a.key, a.model, t, e.output_tokens);
    if (pending.admitted)
      limiter_.ended(pending.limits, e.output_tokens, t);
  }
  if (e.how != departure::delivered || !spends(a.what))
    return;
  if (e.until_midnight)
    judge_.refused(a.key, a.model, t, next_pacific_midnight(t));
  else if (e.retry)
    judge_.refused(a.key, a.model, t, t + *e.retry);
}

void world::keep(resource r) {
  const std::lock_guard guard{mutex_};
  resources_.keep(std::move(r));
}

std::optional<resource> world::find_resource(std::string_view name, std::string_view key) const {
  const std::lock_guard guard{mutex_};
  return resources_.find(name, key);
}

bool world::drop_resource(std::string_view name, std::string_view key) {
  const std::lock_guard guard{mutex_};
  return resources_.drop(name, key);
}

std::vector<resource> world::resources_of(std::string_view key, std::string_view prefix) const {
  const std::lock_guard guard{mutex_};
  return resources_.of(key, prefix);
}

void world::connection_opened() {
  ++connections_opened_;
  const auto open = ++connections_open_;
  auto most = connections_most_.load();
  while (open > most && !connections_most_.compare_exchange_weak(most, open)) {
  }
}

void world::connection_closed() {
  --connections_open_;
}

void world::put_script(script s) {
  const std::lock_guard guard{mutex_};
  auto key = s.key;
  scripts_.insert_or_assign(std::move(key), std::move(s));
  scripts_changed();
}

void world::scripts_changed() {
  bool all_fixed = false, nobody_looks = true;
  for (const auto& [key, s] : scripts_)
    for (const auto& live : s.rules) {
      all_fixed = all_fixed || (key == "*" && fixes_all(*live.what));
      nobody_looks = nobody_looks && looks_at_nothing(*live.what);
    }
  weighs_ = !all_fixed || !nobody_looks;
}

void world::drop_scripts(std::string_view key) {
  const std::lock_guard guard{mutex_};
  if (key.empty())
    scripts_.clear();
  else if (const auto found = scripts_.find(key); found != scripts_.end())
    scripts_.erase(found);
  scripts_changed();
}

json world::scripts() const {
  const std::lock_guard guard{mutex_};
  json list = json::array();
  for (const auto& [key, s] : scripts_) {
    json matched = json::array();
    for (const auto& r : s.rules)
      matched.push_back(r.matched);
    list.push_back({{"key", key},
                    {"project", s.project},
                    {"limits", s.limits.size()},
                    {"rules_matched", std::move(matched)}});
  }
  return list;
}

settings world::options() const {
  const std::lock_guard guard{mutex_};
  return settings_;
}

void world::set_options(settings s) {
  const std::lock_guard guard{mutex_};
  if (s.seed != settings_.seed)
    dice_.seed(s.seed);
  settings_ = std::move(s);
  counters_.set_times_max(settings_.arrival_times_max);
  judge_.set_grace(duration{static_cast<std::int64_t>(settings_.grace_ms * 1e6)});
}

void world::plant(bool violation, bool early) {
  const std::lock_guard guard{mutex_};
  judge_.plant(violation, early, now());
}

json world::verdicts() const {
  const std::lock_guard guard{mutex_};
  return judge_.report();
}

json world::counts(std::string_view key, bool with_times) const {
  const std::lock_guard guard{mutex_};
  return {{"connections",
           {{"opened", connections_opened_.load()},
            {"open", connections_open_.load()},
            {"open_max", connections_most_.load()}}},
          {"keys", counters_.report(key, with_times)}};
}

void world::reset(forget what) {
  if (what.settings)
    set_options({});
  const std::lock_guard guard{mutex_};
  if (what.scripts) {
    scripts_.clear();
    scripts_changed();
    cache_.clear();
    resources_.clear();
    sources_.clear();
  }
  if (what.scripts || what.judge)
    limiter_.clear();
  if (what.settings)
    dice_.seed(settings_.seed);
  if (what.counters) {
    counters_.clear();
    connections_opened_ = connections_open_.load();
    connections_most_ = connections_open_.load();
  }
  if (what.judge)
    judge_.clear();
}

bool world::knows_extra_model(std::string_view model) const {
  const std::lock_guard guard{mutex_};
  return settings_.models.contains(model);
}

} // namespace sandbox
