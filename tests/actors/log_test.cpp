#include "actors/log.hpp"
#include "actors/log_queue.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace troupe {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using lines = std::vector<std::string>;

lines lines_of(const std::string& path) {
  std::ifstream in{path};
  lines out;
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// Without its time.
std::string message_of(const std::string& line) {
  return line.substr(line.find(' ') + 1);
}

log_settings to_files() {
  log_settings s;
  s.target = log_target::files;
  return s;
}

std::unique_ptr<node_log> started(const log_settings& s, const std::string& data_dir) {
  auto log = make_log(s, data_dir);
  EXPECT_TRUE(log) << log.error().text;
  return std::move(*log);
}

TEST(log, each_area_has_its_file_and_errors_have_one_more) {
  const temporary_directory dir;
  const auto log = started(to_files(), dir.path());
  log->write(log_area::http, log_level::info, "req-1", "hello");
  log->write(log_area::pool, log_level::error, {}, "no key");
  log->write(log_area::security, log_level::warning, "req-2", "refused");
  log->flush();
  const auto logs = dir.path() + "/logs/";
  ASSERT_EQ(lines_of(logs + "http.log").size(), 1U);
  EXPECT_EQ(message_of(lines_of(logs + "http.log")[0]), "info http [req-1] hello");
  EXPECT_EQ(message_of(lines_of(logs + "pool.log").at(0)), "error pool no key");
  EXPECT_EQ(message_of(lines_of(logs + "security.log").at(0)), "warning security [req-2] refused");
  ASSERT_EQ(lines_of(logs + "errors.log").size(), 1U);
  EXPECT_EQ(message_of(lines_of(logs + "errors.log")[0]), "error pool no key");
  for (const auto* other : {"upstream", "storage", "cluster"})
    EXPECT_TRUE(fs::exists(logs + other + ".log")) << other;
}

TEST(log, the_directory_is_for_its_owner_only) {
  const temporary_directory dir;
  const auto log = started(to_files(), dir.path());
  EXPECT_EQ(fs::status(dir.path() + "/logs").permissions(), fs::perms::owner_all);
}

TEST(log, levels_are_per_area) {
  const temporary_directory dir;
  auto s = to_files();
  s.levels[static_cast<std::size_t>(log_area::pool)] = log_level::debug;
  s.levels[static_cast<std::size_t>(log_area::http)] = log_level::error;
  const auto log = started(s, dir.path());
  EXPECT_TRUE(log->wants(log_area::pool, log_level::debug));
  EXPECT_FALSE(log->wants(log_area::http, log_level::warning));
  EXPECT_FALSE(log->wants(log_area::storage, log_level::debug));
  log->write(log_area::pool, log_level::debug, {}, "seen");
  log->write(log_area::http, log_level::warning, {}, "unseen");
  log->flush();
  EXPECT_EQ(lines_of(dir.path() + "/logs/pool.log").size(), 1U);
  EXPECT_EQ(lines_of(dir.path() + "/logs/http.log").size(), 0U);
}

TEST(log, json_lines_are_objects) {
  const temporary_directory dir;
  auto s = to_files();
  s.format = log_format::json;
  s.directory = dir.path() + "/elsewhere";
  const auto log = started(s, "/nowhere");
  log->write(log_area::upstream, log_level::info, "r\"1", "two\nlines");
  log->flush();
  const auto all = lines_of(dir.path() + "/elsewhere/upstream.log");
  ASSERT_EQ(all.size(), 1U);
  const auto parsed = nlohmann::json::parse(all[0]);
  EXPECT_EQ(parsed["request_id"], "r\"1");
  EXPECT_EQ(parsed["text"], "two\nlines");
  EXPECT_EQ(parsed["level"], "info");
}

TEST(log, secrets_do_not_reach_the_disk) {
  const temporary_directory dir;
  const auto log = started(to_files(), dir.path());
  log->write(log_area::upstream, log_level::error, "r",
             "GET /v1beta/models?key=AIzaSyD3xQ0-SECRETSECRET with Bearer sk-SECRETSECRET");
  log->flush();
  std::string everything;
  for (const auto& entry : fs::directory_iterator{dir.path() + "/logs"})
    for (const auto& line : lines_of(entry.path()))
      everything += line + '\n';
  EXPECT_NE(everything.find("models"), std::string::npos);
  EXPECT_EQ(everything.find("SECRET"), std::string::npos) << everything;
}

TEST(log, files_are_bounded_in_size_and_number) {
  const temporary_directory dir;
  auto s = to_files();
  s.file_bytes_max = 4096;
  s.files_max = 3;
  s.queue_max = 10'000;
  {
    const auto log = started(s, dir.path());
    for (int i = 0; i < 1'000; ++i)
      log->write(log_area::http, log_level::info, {}, std::string(100, 'x') + std::to_string(i));
  }
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator{dir.path() + "/logs"})
    if (entry.path().filename().string().starts_with("http.")) {
      ++files;
      EXPECT_LE(entry.file_size(), 4096U) << entry.path();
    }
  EXPECT_EQ(files, 3U);
  const auto last = lines_of(dir.path() + "/logs/http.log").back();
  EXPECT_TRUE(last.ends_with("x999")) << last;
}

TEST(log, old_files_are_removed_at_the_start_and_others_are_let_be) {
  const temporary_directory dir;
  fs::create_directories(dir.path() + "/logs");
  const auto make = [&](const std::string& name, std::chrono::hours age) {
    const auto path = dir.path() + "/logs/" + name;
    std::ofstream{path} << "old line\n";
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  };
  make("http.log", 1h);
  make("http.1.log", 49h);
  make("http.2.log", 47h);
  make("pool.log", 49h);
  make("errors.3.log", 49h);
  make("notes.1.log", 1'000h);
  make("http.log.bak", 1'000h);
  auto s = to_files();
  s.age_max = 48h;
  const auto log = started(s, dir.path());
  const auto logs = dir.path() + "/logs/";
  EXPECT_EQ(lines_of(logs + "http.log"), lines{"old line"});
  EXPECT_FALSE(fs::exists(logs + "http.1.log"));
  EXPECT_TRUE(fs::exists(logs + "http.2.log"));
  EXPECT_EQ(lines_of(logs + "pool.log"), lines{});
  EXPECT_FALSE(fs::exists(logs + "errors.3.log"));
  EXPECT_TRUE(fs::exists(logs + "notes.1.log"));
  EXPECT_TRUE(fs::exists(logs + "http.log.bak"));
}

TEST(log, old_files_are_removed_at_a_rotation) {
  const temporary_directory dir;
  auto s = to_files();
  s.file_bytes_max = 4096;
  s.age_max = 48h;
  const auto log = started(s, dir.path());
  const auto old = dir.path() + "/logs/storage.4.log";
  std::ofstream{old} << "x\n";
  fs::last_write_time(old, fs::file_time_type::clock::now() - 49h);
  for (int i = 0; i < 50; ++i)
    log->write(log_area::http, log_level::info, {}, std::string(100, 'x'));
  log->flush();
  EXPECT_TRUE(fs::exists(dir.path() + "/logs/http.1.log"));
  EXPECT_FALSE(fs::exists(old));
}

TEST(log, age_zero_removes_nothing) {
  const temporary_directory dir;
  fs::create_directories(dir.path() + "/logs");
  const auto path = dir.path() + "/logs/http.1.log";
  std::ofstream{path} << "x\n";
  fs::last_write_time(path, fs::file_time_type::clock::now() - 10'000h);
  auto s = to_files();
  s.age_max = 0s;
  const auto log = started(s, dir.path());
  EXPECT_TRUE(fs::exists(path));
}

TEST(log, an_impossible_directory_is_told_by_name) {
  const temporary_directory dir;
  std::ofstream{dir.path() + "/file"} << "x";
  auto s = to_files();
  s.directory = dir.path() + "/file/logs";
  const auto log = make_log(s, dir.path());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, errc::storage_failed);
  EXPECT_NE(log.error().text.find(s.directory), std::string::npos);
}

TEST(log, a_full_disk_loses_lines_and_nothing_else) {
  const temporary_directory dir;
  fs::create_directories(dir.path() + "/logs");
  fs::create_symlink("/dev/full", dir.path() + "/logs/http.log");
  const auto log = started(to_files(), dir.path());
  for (int i = 0; i < 3; ++i) {
    log->write(log_area::http, log_level::info, {}, "lost");
    log->write(log_area::pool, log_level::info, {}, "kept");
    log->flush();
  }
  EXPECT_GT(log->counters().failed, 0U);
  EXPECT_EQ(lines_of(dir.path() + "/logs/pool.log").size(), 3U);
}

TEST(log, goes_on_when_a_rotation_cannot_open_the_next_file) {
  const temporary_directory dir;
  auto s = to_files();
  s.file_bytes_max = 4096;
  const auto log = started(s, dir.path());
  const auto write = [&] {
    for (int i = 0; i < 60; ++i)
      log->write(log_area::http, log_level::info, {}, std::string(100, 'x'));
    log->flush();
  };
  fs::rename(dir.path() + "/logs", dir.path() + "/gone");
  std::ofstream{dir.path() + "/logs"} << "a file where the directory was";
  write();
  EXPECT_GT(log->counters().failed, 0U);
  fs::remove(dir.path() + "/logs");
  write();
  EXPECT_FALSE(lines_of(dir.path() + "/logs/http.log").empty());
}

TEST(log, what_was_written_before_the_end_is_on_the_disk_after_it) {
  const temporary_directory dir;
  {
    const auto log = started(to_files(), dir.path());
    for (int i = 0; i < 100; ++i)
      log->write(log_area::http, log_level::info, {}, "x");
  }
  EXPECT_EQ(lines_of(dir.path() + "/logs/http.log").size(), 100U);
}

log_record line(int number) {
  return {wall_time{}, log_area::http, log_level::info, {}, std::to_string(number)};
}

TEST(log_queue, drops_the_oldest_and_counts_them) {
  log_queue queue{3};
  for (int i = 0; i < 5; ++i)
    queue.push(line(i));
  log_queue::batch batch;
  ASSERT_TRUE(queue.wait(batch));
  EXPECT_EQ(batch.dropped, 2U);
  ASSERT_EQ(batch.lines.size(), 3U);
  EXPECT_EQ(batch.lines.front().text, "2");
  EXPECT_EQ(batch.lines.back().text, "4");
  queue.push(line(5));
  ASSERT_TRUE(queue.wait(batch));
  EXPECT_EQ(batch.dropped, 0U);
  EXPECT_EQ(queue.dropped(), 2U);
}

TEST(log_queue, gives_out_what_waits_before_it_ends) {
  log_queue queue{3};
  queue.push(line(1));
  queue.close();
  queue.push(line(2));
  log_queue::batch batch;
  ASSERT_TRUE(queue.wait(batch));
  EXPECT_EQ(batch.lines.size(), 1U);
  EXPECT_FALSE(queue.wait(batch));
}

TEST(log_queue, no_line_is_lost_or_doubled_between_many_writers_and_one_reader) {
  constexpr int writers = 4, each = 5'000;
  log_queue queue{256};
  std::atomic<std::uint64_t> read{0}, told{0};
  std::thread reader{[&] {
    log_queue::batch batch;
    while (queue.wait(batch)) {
      read += batch.lines.size();
      told += batch.dropped;
      queue.written();
    }
  }};
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        queue.push(line(i));
        if (i % 1'000 == 0)
          queue.flush();
      }
    });
  for (auto& t : threads)
    t.join();
  queue.flush();
  EXPECT_EQ(read + told, static_cast<std::uint64_t>(writers * each));
  EXPECT_EQ(told, queue.dropped());
  queue.close();
  reader.join();
}

} // namespace
} // namespace troupe
