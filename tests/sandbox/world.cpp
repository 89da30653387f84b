#include "sandbox/world.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sandbox {

namespace {

std::string domain_of(const limit& l, const arrival& a, const std::string& project) {
  const auto owner =
      (l.shared_by == scope::project || l.shared_by == scope::project_model) && !project.empty()
          ? "project=" + project
          : "key=" + std::string{a.key};
  const bool per_model = l.shared_by == scope::key_model || l.shared_by == scope::project_model;
  auto d = owner + (per_model ? " model=" + std::string{a.model} : "") + " allows "
           + std::to_string(l.requests);
  return d
         + (l.until_midnight
                ? " a day"
                : " in "
                      + std::to_string(
                          std::chrono::duration_cast<std::chrono::milliseconds>(l.window).count())
                      + " ms");
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
      applied.push_back({domain_of(l, a, project), l.requests, l.window, l.until_midnight});
  return applied;
}

verdict world::arrive(const arrival& a) {
  const std::lock_guard guard{mutex_};
  // Read under the lock: what the judge sees must never go back in time.
  const auto t = now();
  verdict v;
  v.who = counters_.of(a.key, a.model);
  counters_.arrived(*v.who, name_of(a.what), t);
  auto* own = scripts_.empty() ? nullptr : find(a.key);
  auto* all = scripts_.empty() ? nullptr : find("*");
  if (settings_.strict_keys && own == nullptr && !settings_.keys.contains(a.key)) {
    v.key_unknown = true;
    return v;
  }
  if (own != nullptr)
    v.project = own->project;
  const auto limits = limits_of(own, all, a, v.project);
  if (spends(a.what))
    judge_.arrived(limits, a.key, a.model, t);
  if (own != nullptr)
    v.bent = bend(*own, a);
  if (!v.bent && all != nullptr)
    v.bent = bend(*all, a);
  if (!limits.empty())
    v.refused = limiter_.admit(limits, t);
  return v;
}

void world::settle(const arrival& a, tallies& who, const ending& e) {
  const std::lock_guard guard{mutex_};
  const auto t = now();
  --who.in_flight;
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
  if (e.how != departure::delivered || !spends(a.what))
    return;
  if (e.until_midnight)
    judge_.refused(a.key, a.model, t, next_pacific_midnight(t));
  else if (e.retry)
    judge_.refused(a.key, a.model, t, t + *e.retry);
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
  scripts_.insert_or_assign(s.key, std::move(s));
}

void world::drop_scripts(std::string_view key) {
  const std::lock_guard guard{mutex_};
  if (key.empty())
    scripts_.clear();
  else if (const auto found = scripts_.find(key); found != scripts_.end())
    scripts_.erase(found);
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
  if (what.scripts)
    scripts_.clear();
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
