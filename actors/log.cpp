#include "actors/log.hpp"

#include "actors/core/log_line.hpp"
#include "actors/log_queue.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

// spdlog writes and rotates the files. Its own asynchronous logger is not used: its thread wakes
// up every few seconds to look for work, and flushing by the end of a burst needs another one.
// The queue and thread here sleep until a line comes and flush when none is left.

namespace troupe {

namespace {

namespace fs = std::filesystem;

constexpr std::array areas{log_area::http,    log_area::upstream, log_area::pool,
                           log_area::storage, log_area::cluster,  log_area::security};
static_assert(areas.size() == log_areas);

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warning:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  }
  return spdlog::level::off;
}

/// True for `http.log`, `http.3.log`, `errors.log`: files that this log made. `rotated`: only
/// those with a number.
bool is_own_file(const std::string& name, bool rotated) {
  const auto dot = name.find('.');
  if (dot == std::string::npos || !name.ends_with(".log"))
    return false;
  const auto stem = name.substr(0, dot);
  bool known = stem == "errors";
  for (const auto area : areas)
    known = known || stem == to_string(area);
  const auto middle = name.substr(dot, name.size() - dot - 4);
  const bool numbered =
      middle.size() > 1 && middle.find_first_not_of("0123456789", 1) == std::string::npos;
  return known && (numbered || (!rotated && middle.empty()));
}

/// Removes files whose last line is older than `age_max`.
void remove_old_files(const std::string& directory, duration age_max, bool rotated_only) {
  if (age_max == duration::zero())
    return;
  std::error_code error; // a file that is gone, or that may not be removed, stays as it is
  const auto now = fs::file_time_type::clock::now();
  for (fs::directory_iterator it{directory, error}, end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const auto written = it->last_write_time(ignored);
    if (!ignored && is_own_file(it->path().filename().string(), rotated_only)
        && now - written > age_max)
      fs::remove(it->path(), ignored);
  }
}

/// One place that lines go to. A failure closes it until the end of the batch, because spdlog
/// keeps a null file when a rotation could not open the next one, and because each attempt to
/// open takes time that a node which stops does not have. Then it is opened again.
class output {
public:
  using maker = std::function<std::unique_ptr<spdlog::sinks::sink>()>;

  /// Throws what spdlog throws: a node does not start without its log.
  explicit output(maker make) : make_(std::move(make)) { open(); }

  void write(const spdlog::details::log_msg& line) {
    if (broken_)
      ++failed_;
    else
      attempt([&] { sink_->log(line); });
  }

  void end_batch() {
    if (sink_ && attempt([&] { sink_->flush(); }))
      told_ = false;
    broken_ = false;
  }

  /// Writes that failed since this was asked last.
  std::uint64_t take_failed() { return std::exchange(failed_, 0); }

private:
  void open() {
    sink_ = make_();
    sink_->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
  }

  /// A full disk must not end the node: the loss is counted, and told once per streak where it
  /// can still be told.
  template <class Work>
  bool attempt(Work work) {
    try {
      if (!sink_)
        open();
      work();
      return true;
    } catch (const spdlog::spdlog_ex& e) {
      sink_.reset();
      broken_ = true;
      ++failed_;
      if (!std::exchange(told_, true))
        std::fprintf(stderr, "troupe: log lines are lost: %s\n", e.what());
      return false;
    }
  }

  maker make_;
  std::unique_ptr<spdlog::sinks::sink> sink_;
  std::uint64_t failed_ = 0;
  bool broken_ = false;
  bool told_ = false;
};

std::unique_ptr<output> rotating_output(const log_settings& s, const std::string& directory,
                                        std::string_view name) {
  const auto path = directory + '/' + std::string{name} + ".log";
  spdlog::file_event_handlers events;
  events.after_open = [directory, age = s.age_max](const spdlog::filename_t&, std::FILE*) {
    remove_old_files(directory, age, true); // at the start, and after each rotation
  };
  return std::make_unique<output>(
      [=, size = s.file_bytes_max,
       others = s.files_max - 1]() -> std::unique_ptr<spdlog::sinks::sink> {
        return std::make_unique<spdlog::sinks::rotating_file_sink_st>(path, size, others, false,
                                                                      events);
      });
}

/// Where the lines of each area go.
struct outputs {
  std::array<std::unique_ptr<output>, log_areas> by_area;
  std::unique_ptr<output> errors;
  std::unique_ptr<output> all; ///< instead of the files

  outputs(const log_settings& s, const std::string& directory) {
    if (s.target == log_target::files) {
      for (const auto area : areas)
        by_area[static_cast<std::size_t>(area)] = rotating_output(s, directory, to_string(area));
      errors = rotating_output(s, directory, "errors");
      return;
    }
    const bool out = s.target == log_target::standard_output;
    all = std::make_unique<output>([out]() -> std::unique_ptr<spdlog::sinks::sink> {
      if (out)
        return std::make_unique<spdlog::sinks::stdout_sink_st>();
      return std::make_unique<spdlog::sinks::stderr_sink_st>();
    });
  }

  /// Calls `work` with each output that a line goes to.
  template <class Work>
  void for_line(const log_record& r, Work work) {
    work(all ? *all : *by_area[static_cast<std::size_t>(r.area)]);
    if (!all && r.level == log_level::error)
      work(*errors);
  }

  template <class Work>
  void for_each(Work work) {
    if (all)
      return work(*all);
    for (const auto& o : by_area)
      work(*o);
    work(*errors);
  }
};

class spdlog_log : public node_log {
public:
  spdlog_log(const log_settings& s, const std::string& directory)
      : settings_(s), outputs_(s, directory), queue_(s.queue_max) {
    spdlog_log::levels(s.levels);
    writer_ = std::thread([this] { run(); });
  }

  ~spdlog_log() override {
    queue_.close();
    writer_.join();
  }

  bool wants(log_area area, log_level level) const override {
    return level >= levels_[static_cast<std::size_t>(area)].load(std::memory_order_relaxed);
  }

  void levels(const std::array<log_level, log_areas>& least) override {
    for (std::size_t i = 0; i < least.size(); ++i)
      levels_[i].store(least[i], std::memory_order_relaxed);
  }

  void write(log_area area, log_level level, std::string_view request_id,
             std::string_view text) override {
    if (wants(area, level))
      queue_.push({wall_now(), area, level, std::string{request_id}, std::string{text}});
  }

  log_counters counters() const override {
    return {queue_.dropped(), failed_.load(std::memory_order_relaxed)};
  }

  void flush() override { queue_.flush(); }

private:
  /// The writer's thread.
  void run() {
    ::pthread_setname_np(::pthread_self(), "log");
    log_queue::batch batch;
    while (queue_.wait(batch)) {
      if (batch.dropped > 0)
        write_line({wall_now(),
                    log_area::storage,
                    log_level::warning,
                    {},
                    std::to_string(batch.dropped)
                        + " log lines dropped: they came faster than they could be written"});
      for (const auto& line : batch.lines)
        write_line(line);
      outputs_.for_each([&](output& o) {
        o.end_batch();
        failed_.fetch_add(o.take_failed(), std::memory_order_relaxed);
      });
      queue_.written();
    }
  }

  void write_line(const log_record& r) {
    const auto line = settings_.format == log_format::json ? json_line(r) : text_line(r);
    const spdlog::details::log_msg message{"", level_of(r.level), line};
    outputs_.for_line(r, [&](output& o) { o.write(message); });
  }

  const log_settings settings_;
  outputs outputs_;
  log_queue queue_;
  std::atomic<std::uint64_t> failed_{0};
  std::array<std::atomic<log_level>, log_areas> levels_{};
  std::thread writer_; ///< last: it uses all of the above
};

failure unusable(const std::string& directory, const std::error_code& error) {
  const auto code = error == std::errc::permission_denied ? errc::permission : errc::storage_failed;
  return {code, "log directory " + directory + ": " + error.message()};
}

} // namespace

result<std::unique_ptr<node_log>> make_log(const log_settings& s, const std::string& data_dir) {
  const auto directory = s.directory.empty() ? data_dir + "/logs" : s.directory;
  if (s.target == log_target::files) {
    std::error_code error;
    const bool is_new = fs::create_directories(directory, error);
    if (error)
      return unusable(directory, error);
    if (is_new)
      fs::permissions(directory, fs::perms::owner_all, error);
    remove_old_files(directory, s.age_max, false);
  }
  try {
    return std::unique_ptr<node_log>{std::make_unique<spdlog_log>(s, directory)};
  } catch (const spdlog::spdlog_ex& e) {
    return failure{errc::storage_failed, "log directory " + directory + ": " + e.what()};
  }
}

} // namespace troupe
