#include "actors/key/pool_actor.hpp"
#include "actors/key/quota_words.hpp"
#include "storage/core/quota_item.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <unordered_set>
#include <utility>

// Limits of clients' credentials: the same ledger as that of keys, one for each credential that
// has a limit. A request counts once, however often it is tried.

namespace troupe {
namespace {

constexpr std::size_t pending_max = 10'000;

} // namespace

pool_actor_state::gate pool_actor_state::ask_credential(acquire_request& request,
                                                        acquire_reply& reply) {
  if (request.credential_ticket != 0 || request.turned_back != 0)
    return gate::open;
  const auto at = credentials_.find(request.credential);
  if (at == credentials_.end())
    return gate::open;
  const auto t = both();
  const quota_call call{.model = request.model,
                        .input_tokens = request.input_tokens,
                        .output_tokens = request.output_tokens};
  auto got = at->second.ledger->take(call, t);
  if (got.write || got.verdict.must_write)
    write_credential(request.credential);
  if (got.verdict.must_write && !shared_->storage) // then it is allowed by now
    got = at->second.ledger->take(call, t);
  if (got.verdict.granted) {
    request.credential_ticket = got.verdict.ticket;
    request.credential_counted = true;
    return gate::open;
  }
  if (got.verdict.must_write && at->second.pending.size() < pending_max)
    return gate::later;
  gauges_->refused_by_credential.add();
  reply.grant = grant_kind::credential_limit;
  reply.wait_ms = wait_word(got.verdict.free_at, t.now);
  reply.per_day = got.verdict.per_day;
  reply.limited = got.verdict.why;
  return gate::shut;
}

void pool_actor_state::write_credential(std::uint64_t id) {
  const auto& ledger = credentials_.at(id).ledger;
  const auto record = ledger->begin_write(both());
  if (!record)
    return;
  if (!shared_->storage) {
    ledger->written(*record);
    return;
  }
  self_
      ->request(shared_->storage, caf::infinite,
                save_quota{ledger->row(), storage::encode(*record)})
      .then(
          [this, id, ledger, record = *record] {
            ledger->written(record);
            credential_written(id);
          },
          [this, id, ledger](const caf::error&) {
            ledger->refused(now() + shared_->disk_retry);
            credential_written(id);
          });
}

void pool_actor_state::credential_written(std::uint64_t id) {
  const auto at = credentials_.find(id);
  if (at == credentials_.end())
    return; // forgotten meanwhile, and those who waited were let through
  for (auto& [request, asker] : std::exchange(at->second.pending, {})) {
    acquire_reply reply;
    switch (ask_credential(request, reply)) {
    case gate::open:
      place(request, &asker);
      break;
    case gate::shut:
      asker.deliver(std::move(reply));
      break;
    case gate::later:
      at->second.pending.emplace_back(std::move(request), asker);
      break;
    }
  }
}

/// The question ends without a lease: what it counted by itself is taken back.
void pool_actor_state::forget_call(acquire_request& request) {
  if (!std::exchange(request.credential_counted, false))
    return;
  settle({.credential = request.credential, .ticket = request.credential_ticket});
  request.credential_ticket = 0;
}

void pool_actor_state::settle(const settle_credential& s) {
  const auto at = credentials_.find(s.credential);
  if (at == credentials_.end())
    return;
  at->second.ledger->end(s.ticket,
                         {.sent = s.sent,
                          .reported = s.reported,
                          .input_tokens = s.input_tokens,
                          .output_tokens = s.output_tokens},
                         both());
}

void pool_actor_state::change(const limits_of_credentials& all) {
  const auto t = both();
  std::unordered_set<std::uint64_t> named;
  for (const auto& [id, limits] : all) {
    if (limits.empty())
      continue;
    named.insert(id);
    auto& account = credentials_[id];
    if (!account.ledger) {
      account.ledger = std::make_shared<shared_ledger>(quota_row_of_credential(id),
                                                       shared_->live->get()->quota, gauges_);
      if (const auto kept = options_.quotas.find(account.ledger->row());
          kept != options_.quotas.end())
        account.ledger->restore(kept->second, t);
    }
    account.ledger->declare(limits, t);
  }
  for (auto at = credentials_.begin(); at != credentials_.end();) {
    if (named.contains(at->first)) {
      ++at;
      continue;
    }
    // Its limits are gone, so nothing holds back those who waited for the disk.
    auto pending = std::move(at->second.pending);
    if (shared_->storage)
      self_->send(shared_->storage, erase_quota{at->second.ledger->row()});
    at = credentials_.erase(at);
    for (auto& [request, asker] : pending)
      place(request, &asker);
  }
}

} // namespace troupe
