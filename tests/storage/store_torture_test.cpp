// A process that writes is killed, 500 times, each time a few milliseconds after it has begun;
// the next one checks what it finds in the same directory, and goes on.

#include "tests/storage/damage_support.hpp"
#include "tests/storage/torture/slots.hpp"

#include <chrono>
#include <csignal>
#include <random>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kills = 60; // each start takes ten times as long
#else
constexpr int kills = 500;
#endif

std::string program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/store_torture";
}

/// A running writer, and what it says.
class writer {
public:
  explicit writer(const std::string& directory) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0)
      std::abort();
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    auto path = program();
    auto where = directory;
    char* arguments[] = {path.data(), where.data(), nullptr};
    if (::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ) != 0)
      pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
  }
  ~writer() { kill(); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  bool running() const { return pid_ > 0; }

  /// Whether it said something within `wait`; false, too, once it has ended.
  bool listen(std::chrono::milliseconds wait) {
    pollfd said{output_, POLLIN, 0};
    if (::poll(&said, 1, static_cast<int>(wait.count())) <= 0)
      return false;
    char bytes[4096];
    const auto got = ::read(output_, bytes, sizeof bytes);
    if (got > 0)
      text_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    while (listen(std::chrono::milliseconds{0}))
      continue;
    ::close(output_);
  }

  const std::string& text() const { return text_; }

  /// The number behind the last whole line that begins with `word`; 0 if there is none.
  std::uint64_t last(const std::string& word) const {
    const auto whole = text_.substr(0, text_.rfind('\n') + 1);
    const auto at = whole.rfind(word + ' ');
    return at == std::string::npos ? 0 : std::stoull(whole.substr(at + word.size() + 1));
  }

private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string text_;
};

TEST(store_torture, five_hundred_kills_lose_no_acknowledged_write_and_halve_none) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds start_max{30};
  const auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const scratch_directory where;
  std::uint64_t acknowledged = 0;
  int without_write = 0;
  for (int i = 0; i < kills; ++i) {
    writer w(where.path());
    ASSERT_TRUE(w.running()) << program();
    while (w.last("wrote") == 0 && w.listen(start_max))
      continue;
    const auto end = clock::now() + std::chrono::microseconds{2'000 + random() % 38'000};
    for (auto now = clock::now(); now < end; now = clock::now())
      w.listen(std::chrono::duration_cast<std::chrono::milliseconds>(end - now));
    w.kill();
    ASSERT_EQ(w.text().find("wrong"), std::string::npos) << w.text();
    ASSERT_NE(w.text().find("found "), std::string::npos) << w.text();
    // What was written and not yet acknowledged may be there: one batch.
    ASSERT_GE(w.last("found"), acknowledged) << "kill " << i;
    ASSERT_LE(w.last("found"), acknowledged + 1) << "kill " << i;
    without_write += w.last("wrote") == 0 ? 1 : 0;
    acknowledged = std::max(acknowledged, std::max(w.last("wrote"), w.last("found")));
  }
  EXPECT_EQ(without_write, 0);
  const auto s = store::open(torture::options(where.path()));
  ASSERT_TRUE(s) << s.error().text;
  std::string wrong;
  EXPECT_GE(torture::check(**s, wrong), acknowledged);
  EXPECT_EQ(wrong, "");
  EXPECT_GT(acknowledged, 10U * kills);
  EXPECT_FALSE(database_files(where.path(), ".sst").empty());
  std::printf("%d kills, %llu acknowledged writes\n", kills,
              static_cast<unsigned long long>(acknowledged));
}

} // namespace
} // namespace troupe::storage
