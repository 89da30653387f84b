#include "actors/key/key_actor.hpp"

#include "actors/defaults.hpp"
#include "actors/error.hpp"
#include "actors/key/quota_words.hpp"
#include "protocol/base/key_id.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t error_bytes_max = 400;

/// A lease of a restarted actor must not be taken for one of its former life.
constexpr unsigned lives_shift = 40;

gemini::verdict verdict_of(settlement& s) {
  gemini::verdict v;
  v.what = s.what;
  v.scope = s.scope;
  v.model = std::move(s.concerned_model);
  if (s.retry_after_ms >= 0)
    v.retry_after = std::chrono::milliseconds{s.retry_after_ms};
  v.model_not_offered = s.model_not_offered;
  return v;
}

/// The operator's word stands above what the upstream said: a check must not undo it.
health_effect shut_by_operator(key_health& h, const instants& t) {
  enable(h, t);
  return disable(h, key_reason::by_operator, t);
}

} // namespace

caf::behavior key_actor_state::start(std::shared_ptr<const key_actor_options> options,
                                     key_seed seed) {
  options_ = std::move(options);
  key_ = seed.key;
  name_ = std::move(seed.name);
  secret_ = std::move(seed.secret_text);
  upstream_ = seed.upstream;
  restarts_ = seed.restarts;
  ledger_ = std::move(seed.ledger);
  load_ = std::move(seed.load);
  count_leases();
  last_lease_ = std::uint64_t{restarts_} << lives_shift;
  health_ = health_at_birth(seed, now());
  if (seed.past)
    tally_ = tally_of(*seed.past);
  set_default_handlers(self_, *options_->log, log_area::pool, name);
  self_->set_exit_handler([this](caf::scheduled_actor* self, caf::exit_msg& m) {
    if (unsaved_)
      save(false, now());
    self->quit(std::move(m.reason));
  });
  return {
      [this](acquire_request& request) { return acquire(request); },
      [this](settlement& s) { settle(s); },
      [this](const sent_late& m) { leave_late(m.lease); },
      [this](const settle_credential& s) { self_->send(options_->pool, s); },
      [this](const key_command& command) { return obey(command); },
      [this](check_outcome& c) { return take_check(c); },
      [this](const pool_key& k) { take_identity(k); },
      [this](take_ledger& m) { take_ledger_of(m); },
      [this](allowed_atom) { take_pending(); },
      [this](status_atom) { return status(); },
      [this](drain_atom) {
        if (unsaved_)
          save(false, now());
      },
      [this](tick_atom) { tick(); },
      [this](leave_atom) { leave(); },
  };
}

instants key_actor_state::now() const {
  return {self_->clock().now(), options_->wall()};
}

void key_actor_state::settle(settlement& s) {
  const auto ended = end_lease(s.lease);
  if (!ended)
    return; // settled before, expired, or of a former life: counted then
  const auto t = now();
  unsaved_ = true;
  watch();
  end_quota(*ended, s, t);
  if (s.abandoned || s.unsent) {
    tally_.abandoned += s.abandoned ? 1 : 0;
    if (pace_.allowed != 0)
      tell_standing(t); // its place in the slow start is free
    return;
  }
  count(s, t);
  learn(s, t);
  const auto verdict = verdict_of(s);
  const auto effect = troupe::settle(policy()->health, health_, s.model, verdict, t);
  note_pace(*ended, s, effect, t);
  log_change(s, effect, t);
  standing_report report;
  report.throttled = s.what == gemini::answer_class::quota_day
                     || s.what == gemini::answer_class::quota_minute
                     || s.what == gemini::answer_class::quota_unknown;
  report.without_words =
      s.what == gemini::answer_class::quota_unknown && s.told.empty() && !names_wait(verdict);
  report.egress = ended->egress;
  report.project = s.project;
  apply(effect, t, std::move(report));
}

/// How fast the key is, and how slowly it has to begin again.
void key_actor_state::note_pace(const key_lease& l, const settlement& s,
                                const health_effect& effect, const instants& t) {
  constexpr float newest = 0.2F; // its share of the moving average
  if (s.first_byte_us >= 0) {
    const auto before = load_->latency_ms.load(std::memory_order_relaxed);
    const auto took = static_cast<float>(s.first_byte_us) / 1'000;
    load_->latency_ms.store(before == 0 ? took : before + newest * (took - before),
                            std::memory_order_relaxed);
  }
  const bool slow = pace_.allowed != 0;
  const bool rests =
      s.what == gemini::answer_class::quota_minute || s.what == gemini::answer_class::quota_unknown;
  if (rests && effect.standing && l.granted >= rested_at_) {
    rested_at_ = t.now;
    on_rest(pace_);
  } else if (s.what == gemini::answer_class::ok && l.granted >= rested_at_) {
    on_ok(pace_);
  }
  // Requests that were turned away for the slow start may come again.
  if (slow && !effect.standing)
    tell_standing(t);
}

std::optional<key_lease> key_actor_state::end_lease(std::uint64_t id) {
  auto& leases = load_->leases;
  const auto at = std::ranges::lower_bound(leases, id, {}, &key_lease::id);
  if (at == leases.end() || at->id != id)
    return std::nullopt;
  auto ended = std::move(*at);
  leases.erase(at);
  count_leases();
  return ended;
}

void key_actor_state::count_leases() {
  load_->in_flight.store(static_cast<std::uint32_t>(load_->leases.size()),
                         std::memory_order_relaxed);
}

void key_actor_state::count(const settlement& s, const instants& t) {
  const auto index = static_cast<std::size_t>(s.what);
  if (index < tally_.answers.size())
    ++tally_.answers[index];
  tally_.prompt_tokens += s.prompt_tokens;
  tally_.output_tokens += s.output_tokens;
  tally_.thought_tokens += s.thought_tokens;
  tally_.cached_tokens += s.cached_tokens;
  tally_.last_used_at_ms = t.wall.time_since_epoch().count();
  if (s.what == gemini::answer_class::ok)
    return;
  tally_.last_error_at_ms = tally_.last_used_at_ms;
  tally_.last_error = s.message.substr(0, error_bytes_max);
}

key_status key_actor_state::obey(const key_command& command) {
  const auto t = now();
  auto effect = tidy(health_, t);
  switch (command.order) {
  case key_order::enable:
    effect |= enable(health_, t);
    break;
  case key_order::disable:
    effect |= shut_by_operator(health_, t);
    break;
  case key_order::pause:
    effect |=
        pause(health_, std::chrono::milliseconds{std::max<std::int64_t>(command.pause_ms, 0)}, t);
    break;
  case key_order::reset:
    effect |= reset(health_, t);
    pace_ = {};
    break;
  }
  if (!command.note.empty()) {
    tally_.last_error = command.note.substr(0, error_bytes_max);
    tally_.last_error_at_ms = t.wall.time_since_epoch().count();
    effect.changed = true;
  }
  apply(effect, t);
  return status();
}

key_status key_actor_state::take_check(check_outcome& c) {
  const auto t = now();
  auto& end = c.end;
  count(end, t);
  unsaved_ = true;
  watch();
  health_effect effect;
  const bool shut = health_.disabled != key_reason::none;
  if (shut && health_.disabled != key_reason::by_operator) {
    effect |= begin_probe(health_, t);
    effect |= end_probe(health_, end.what == gemini::answer_class::ok, t);
  }
  effect |= troupe::settle(policy()->health, health_, end.model, verdict_of(end), t);
  log_change(end, effect, t);
  apply(effect, t);
  return status();
}

void key_actor_state::take_identity(const pool_key& k) {
  name_ = k.name;
  secret_ = k.secret_text;
  upstream_ = k.upstream;
  const bool shut_by_hand = health_.disabled == key_reason::by_operator;
  const auto t = now();
  if (!k.enabled && !shut_by_hand)
    apply(shut_by_operator(health_, t), t);
  else if (k.enabled && shut_by_hand)
    apply(enable(health_, t), t);
}

key_status key_actor_state::status() const {
  auto s = status_of(health_, tally_, now());
  s.key = key_;
  s.name = name_;
  s.in_flight = static_cast<std::uint32_t>(load_->leases.size());
  s.restarts = restarts_;
  s.quota = to_status(ledger_->uses(now()));
  s.slow_start = pace_.allowed;
  return s;
}

void key_actor_state::tick() {
  watching_ = false;
  const auto t = now();
  expire_leases(t);
  unsaved_ = tidy(health_, t).changed || unsaved_;
  if (unsaved_)
    save(false, t);
  if (!load_->leases.empty())
    watch();
}

void key_actor_state::watch() {
  if (watching_)
    return;
  watching_ = true;
  self_->delayed_send(self_, options_->save_every, tick_atom::value);
}

void key_actor_state::expire_leases(const instants& t) {
  auto& leases = load_->leases;
  const auto alive = std::ranges::find_if(
      leases, [&](const key_lease& l) { return t.now - l.granted < options_->lease_max; });
  const auto lost = static_cast<std::uint64_t>(alive - leases.begin());
  if (lost == 0)
    return;
  const std::vector<key_lease> ended(std::make_move_iterator(leases.begin()),
                                     std::make_move_iterator(alive));
  leases.erase(leases.begin(), alive);
  count_leases();
  for (const auto& l : ended)
    end_quota(l, {}, t); // whatever became of it, it used what was reserved
  if (pace_.allowed != 0)
    tell_standing(t);
  tally_.expired += lost;
  unsaved_ = true;
  if (options_->log->wants(log_area::pool, log_level::warning))
    options_->log->write(log_area::pool, log_level::warning, {},
                         to_string(key_id{key_}) + ": " + std::to_string(lost)
                             + " leases were never settled");
}

void key_actor_state::tell_standing(const instants& t, standing_report report) {
  report.key = key_;
  report.standing = to_message(standing_of(health_, t.now), t.now);
  if (pace_.allowed != 0)
    report.standing.places = std::max<std::int64_t>(
        0, std::int64_t{pace_.allowed} - static_cast<std::int64_t>(load_->leases.size()));
  self_->send(options_->pool, std::move(report));
}

void key_actor_state::apply(const health_effect& effect, const instants& t,
                            standing_report report) {
  if (effect.standing || !report.project.empty())
    tell_standing(t, std::move(report));
  if (effect.urgent) {
    save(true, t);
  } else if (effect.changed) {
    unsaved_ = true;
    watch();
  }
}

void key_actor_state::save(bool urgent, const instants& t) {
  unsaved_ = false;
  if (options_->storage)
    self_->send(options_->storage,
                save_key_state{key_, encode(to_record(health_, tally_, t)), urgent});
}

void key_actor_state::log_change(const settlement& s, const health_effect& effect,
                                 const instants& t) const {
  const bool shut = health_.disabled != key_reason::none;
  const auto level = shut ? log_level::warning : log_level::info;
  if (!effect.urgent || !options_->log->wants(log_area::pool, level))
    return;
  auto text = to_string(key_id{key_}) + ": " + std::string{gemini::to_string(s.what)};
  if (shut) {
    text += ", disabled (" + std::string{to_string(health_.disabled)} + ")";
  } else if (const auto rests = admit(health_, s.model, t.now); !rests.granted) {
    text += ", rests for " + s.model + " for "
            + std::to_string(milliseconds_until(rests.longest.until, t.now)) + " ms ("
            + std::string{to_string(rests.longest.why)} + ")";
  } else if (health_.strikes != 0) {
    text += ", strike " + std::to_string(health_.strikes);
  }
  if (!s.message.empty())
    text += ": " + s.message.substr(0, error_bytes_max);
  options_->log->write(log_area::pool, level, {}, text);
}

key_health health_at_birth(const key_seed& seed, const instants& t) {
  auto h = seed.past ? health_of(*seed.past, t) : key_health{};
  const bool shut_by_hand = h.disabled == key_reason::by_operator;
  if (!seed.enabled && !shut_by_hand)
    shut_by_operator(h, t);
  else if (seed.enabled && shut_by_hand)
    enable(h, t); // the word was taken back just before a crash
  return h;
}

caf::behavior key_actor(key_actor_state::self_pointer self,
                        std::shared_ptr<const key_actor_options> options, key_seed seed) {
  return self->state.start(std::move(options), std::move(seed));
}

} // namespace troupe
