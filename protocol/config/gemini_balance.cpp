#include "protocol/config/environment.hpp"
#include "protocol/config/names.hpp"
#include "protocol/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

// The environment of gemini-balance 2.2.8, so that its `.env` starts this gateway. Each of its
// names is here once: what it sets, or in a word why it sets nothing.

namespace troupe::config {

namespace {

/// Names that mean the same as an option of ours and are written the same way.
struct same_meaning {
  std::string_view name;
  std::string_view path;
};

constexpr std::array same{
    same_meaning{"MAX_FAILURES", "pool.strikes_max"},
    same_meaning{"SEARCH_MODELS", "translation.search_models"},
    same_meaning{"IMAGE_MODELS", "translation.image_models"},
    same_meaning{"THINKING_MODELS", "translation.non_thinking_models"},
    same_meaning{"FILTERED_MODELS", "models.hidden"},
    same_meaning{"SAFETY_SETTINGS", "translation.safety_settings"},
};

/// Names that need a word of translation; see `apply_gemini_balance`.
constexpr std::array translated{
    "API_KEYS",
    "VERTEX_API_KEYS",
    "ALLOWED_TOKENS",
    "AUTH_TOKEN",
    "BASE_URL",
    "VERTEX_EXPRESS_BASE_URL",
    "TIME_OUT",
    "CUSTOM_HEADERS",
    "MAX_RETRIES",
    "LOG_LEVEL",
    "SHOW_THINKING_PROCESS",
    "SHOW_SEARCH_LINK",
    "CHECK_INTERVAL_HOURS",
    "PROXIES",
    "PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY",
    "AUTO_DELETE_ERROR_LOGS_ENABLED",
    "AUTO_DELETE_ERROR_LOGS_DAYS",
};

struct meaningless {
  std::string_view reason;
  std::string_view names; ///< separated by blanks
};

constexpr std::array without_meaning{
    meaningless{"no SQL database", "DATABASE_TYPE SQLITE_DATABASE MYSQL_HOST MYSQL_PORT MYSQL_USER "
                                   "MYSQL_PASSWORD MYSQL_DATABASE MYSQL_SOCKET"},
    meaningless{"kept out of the pool, where ordinary calls would spend it", "PAID_KEY"},
    meaningless{"no admin sessions", "ADMIN_SESSION_EXPIRE"},
    meaningless{"keys are tried again with a call that generates nothing", "TEST_MODEL"},
    meaningless{"nothing runs at hours of the clock", "TIMEZONE"},
    meaningless{"clients choose by reasoning_effort", "THINKING_BUDGET_MAP"},
    meaningless{"clients ask for tools themselves",
                "TOOLS_CODE_EXECUTION_ENABLED URL_CONTEXT_ENABLED URL_CONTEXT_MODELS"},
    meaningless{"paths are matched as they are", "URL_NORMALIZATION_ENABLED"},
    meaningless{"images are answered inline, not uploaded",
                "CREATE_IMAGE_MODEL UPLOAD_PROVIDER SMMS_SECRET_TOKEN PICGO_API_KEY PICGO_API_URL "
                "CLOUDFLARE_IMGBED_URL CLOUDFLARE_IMGBED_AUTH_CODE CLOUDFLARE_IMGBED_UPLOAD_FOLDER "
                "OSS_ENDPOINT OSS_ENDPOINT_INNER OSS_ACCESS_KEY OSS_ACCESS_KEY_SECRET "
                "OSS_BUCKET_NAME OSS_REGION"},
    meaningless{"no speech", "TTS_MODEL TTS_VOICE_NAME TTS_SPEED ENABLE_TTS"},
    meaningless{"streams are never delayed or faked",
                "STREAM_OPTIMIZER_ENABLED STREAM_MIN_DELAY STREAM_MAX_DELAY "
                "STREAM_SHORT_TEXT_THRESHOLD STREAM_LONG_TEXT_THRESHOLD STREAM_CHUNK_SIZE "
                "FAKE_STREAM_ENABLED FAKE_STREAM_EMPTY_DATA_INTERVAL_SECONDS"},
    meaningless{"bodies are never logged", "ERROR_LOG_RECORD_REQUEST_BODY"},
    meaningless{"no log of requests",
                "AUTO_DELETE_REQUEST_LOGS_ENABLED AUTO_DELETE_REQUEST_LOGS_DAYS"},
    meaningless{"no uploaded files", "FILES_CLEANUP_ENABLED FILES_CLEANUP_INTERVAL_HOURS "
                                     "FILES_USER_ISOLATION_ENABLED"},
    meaningless{"no look-out for updates", "GITHUB_REPO_OWNER GITHUB_REPO_NAME"},
};

std::optional<bool> truth_of(const variable* v) {
  if (v == nullptr)
    return std::nullopt;
  const auto word = lower(trimmed(v->value));
  return word == "true" || word == "1" || word == "yes" || word == "on";
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  text = trimmed(text);
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

/// True for `[]`, `{}`, `""` and the like: set, but to nothing.
bool is_nothing(std::string_view value) {
  return value.find_first_not_of(" \t\r\n[]{}\"'") == std::string_view::npos;
}

void apply_urls(const variables& all, builder& out) {
  const auto set = [&](std::string_view name, upstream_kind kind) {
    const auto* v = find_set(all, name);
    if (v != nullptr && !is_nothing(v->value))
      out.apply_text("upstreams[].base_url", v->value, v->where, out.upstream_of(kind));
  };
  set("BASE_URL", upstream_kind::gemini);
  // Its example file names this address for everybody; without keys it means nothing.
  const auto& upstreams = out.out().values.upstreams;
  if (std::any_of(upstreams.begin(), upstreams.end(),
                  [](const auto& u) { return u.kind == upstream_kind::vertex; }))
    set("VERTEX_EXPRESS_BASE_URL", upstream_kind::vertex);
}

/// One number for every wait there, in seconds. Connecting keeps its own, shorter limit.
void apply_time_out(const variable& v, builder& out) {
  const auto seconds = number_of(v.value);
  if (!seconds)
    return out.problem(v.where, 0, "upstreams[0].first_byte_timeout",
                       "must be a number of seconds");
  const auto text = std::to_string(*seconds) + 's';
  for (std::size_t i = 0; i < out.out().values.upstreams.size(); ++i) {
    if (!out.apply_text("upstreams[].first_byte_timeout", text, v.where, i))
      return;
    out.apply_text("upstreams[].silence_timeout", text, v.where, i);
    auto& u = out.out().values.upstreams[i];
    u.total_timeout = std::max({u.total_timeout, u.first_byte_timeout, u.silence_timeout});
    u.connect_timeout = std::min(u.connect_timeout, u.first_byte_timeout);
  }
}

void apply_upstreams(const variables& all, builder& out) {
  if (const auto* v = find_set(all, "VERTEX_API_KEYS"))
    if (auto keys = secrets_of(*v, out); !keys.empty())
      out.set_keys(out.upstream_of(upstream_kind::vertex), std::move(keys), v->where);
  if (find_set(all, "TROUPE_UPSTREAMS") != nullptr)
    return; // says all of the rest itself
  apply_urls(all, out);
  if (const auto* v = find_set(all, "CUSTOM_HEADERS"); v != nullptr && !is_nothing(v->value))
    for (std::size_t i = 0; i < out.out().values.upstreams.size(); ++i)
      out.apply_text("upstreams[].headers", v->value, v->where, i);
  if (const auto* v = find_set(all, "TIME_OUT"))
    apply_time_out(*v, out);
}

/// Appends the secrets of one variable, with names that tell where they came from.
void add_credentials(const variable& v, std::string_view name, builder& out,
                     std::vector<credential_settings>& list) {
  const auto before = out.out().problems.size();
  const auto secrets = secrets_of(v, out);
  if (secrets.empty() && out.out().problems.size() == before)
    out.warn((v.where.variable.empty() ? v.where.source : v.where.variable)
             + " names no credential, so it opens nothing");
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const auto known = std::any_of(list.begin(), list.end(), [&](const credential_settings& c) {
      return c.value == secrets[i];
    });
    if (secrets[i].reveal().size() < 8)
      out.problem(v.where, 0, {}, "each must be at least 8 characters long");
    else if (!known)
      list.push_back({std::string{name} + (secrets.size() > 1 ? '_' + std::to_string(i + 1) : ""),
                      secrets[i],
                      {}});
  }
}

void apply_tokens(const variables& all, builder& out) {
  const auto* tokens = find_set(all, "ALLOWED_TOKENS");
  const auto* admin = find_set(all, "AUTH_TOKEN");
  if (tokens == nullptr && admin == nullptr)
    return;
  std::vector<credential_settings> clients, admins;
  if (admin != nullptr) {
    auto one = *admin; // a single text, whatever is in it
    if (!is_nothing(one.value))
      one.value = '[' + quoted(trimmed(one.value)) + ']';
    add_credentials(one, "auth_token", out, admins);
    clients = admins; // its users call with it, too
  }
  if (tokens != nullptr)
    add_credentials(*tokens, "allowed_token", out, clients);
  auto& own = out.out().values.credentials;
  const auto replace = [&](auto& list, auto& by, const variable& v, std::string_view path) {
    if (by.empty())
      return;
    if (!list.empty())
      out.warn(std::string{path} + " of the file are replaced by those of the environment");
    list = std::move(by);
    out.set_origin(std::string{path}, v.where, v.where.line);
  };
  const bool has_clients = !clients.empty();
  replace(own.clients, clients, tokens != nullptr ? *tokens : *admin, "credentials.clients");
  if (admin != nullptr)
    replace(own.admins, admins, *admin, "credentials.admins");
  if (has_clients && own.admins.empty())
    out.warn("no AUTH_TOKEN: a client's credential is never an admin's, so the first start makes "
             "an admin credential");
}

void apply_behaviour(const variables& all, builder& out) {
  for (const auto& s : same)
    if (const auto* v = find_set(all, s.name))
      out.apply_text(s.path, v->value, v->where);
  if (const auto* v = find_set(all, "MAX_RETRIES")) // counts attempts, and 0 broke every call
    out.apply_text("pool.attempts_max", trimmed(v->value) == "0" ? "1" : v->value, v->where);
  if (const auto* v = find_set(all, "LOG_LEVEL")) {
    auto level = lower(trimmed(v->value));
    if (level == "critical" || level == "fatal")
      level = "error";
    if (level == "warn")
      level = "warning";
    if (level == "trace")
      level = "debug";
    out.apply_text("log.level", level, v->where);
  }
  if (const auto* v = find_set(all, "SHOW_THINKING_PROCESS"))
    out.apply_text("translation.thoughts", *truth_of(v) ? "on_request" : "never", v->where);
  if (const auto* v = find_set(all, "SHOW_SEARCH_LINK"))
    out.apply_text("translation.grounding_output", *truth_of(v) ? "both" : "annotations", v->where);
  const auto* days = find_set(all, "AUTO_DELETE_ERROR_LOGS_DAYS");
  const bool deletes = truth_of(find_set(all, "AUTO_DELETE_ERROR_LOGS_ENABLED")).value_or(true);
  if (!deletes)
    out.apply_text("log.age_max", "0", find_set(all, "AUTO_DELETE_ERROR_LOGS_ENABLED")->where);
  else if (days != nullptr)
    out.apply_text("log.age_max", std::string{trimmed(days->value)} + 'd', days->where);
}

/// There, all keys with a failure are tested at one interval; here the wait for one key grows.
void apply_recheck(const variable& v, builder& out) {
  const auto hours = number_of(v.value);
  if (!hours)
    return out.problem(v.where, 0, "pool.recheck_max", "must be a number of hours");
  if (*hours == 0)
    out.apply_text("pool.recheck_min", "0", v.where);
  else
    out.apply_text("pool.recheck_max", std::to_string(*hours) + 'h', v.where);
}

void apply_egress(const variables& all, builder& out) {
  if (const auto* v = find_set(all, "PROXIES"); v != nullptr && !is_nothing(v->value))
    out.apply_text("egress.proxies", v->value, v->where);
  if (!truth_of(find_set(all, "PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY")).value_or(true))
    out.warn("PROXIES_USE_CONSISTENCY_HASH_BY_API_KEY is not used: a key keeps its proxy always");
}

void warn_of_meaningless(const variables& all, builder& out) {
  std::string text;
  for (const auto& group : without_meaning) {
    std::string names;
    for (const auto name : split(group.names, ' '))
      if (const auto* v = find_set(all, name); v != nullptr && !is_nothing(v->value))
        names += (names.empty() ? "" : ", ") + std::string{name};
    if (!names.empty())
      text += (text.empty() ? "" : "; ") + names + " (" + std::string{group.reason} + ')';
  }
  if (!text.empty())
    out.warn("without meaning here: " + text);
}

} // namespace

bool is_gemini_balance_name(std::string_view name) {
  return std::any_of(same.begin(), same.end(), [&](const auto& s) { return s.name == name; })
         || std::find(translated.begin(), translated.end(), name) != translated.end()
         || std::any_of(without_meaning.begin(), without_meaning.end(), [&](const auto& group) {
              const auto names = split(group.names, ' ');
              return std::find(names.begin(), names.end(), name) != names.end();
            });
}

void apply_gemini_balance(const variables& all, builder& out) {
  apply_upstreams(all, out);
  apply_tokens(all, out);
  apply_behaviour(all, out);
  if (const auto* v = find_set(all, "CHECK_INTERVAL_HOURS"))
    apply_recheck(*v, out);
  apply_egress(all, out);
  warn_of_meaningless(all, out);
}

} // namespace troupe::config
