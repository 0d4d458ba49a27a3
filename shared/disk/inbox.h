#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/ids.h"

namespace millrace::disk {

/// Whoever empties an Inbox, on its loop.
class Ear {
 public:
  virtual ~Ear() = default;
  virtual void on_lines(const JobId& id, std::string_view lines) noexcept = 0;
  virtual void on_joined(const JobId& id, std::string_view session) noexcept = 0;
  virtual void on_cancel(const JobId& id, std::string_view worker) noexcept = 0;
  /// The listener with this number hears everything from here on.
  virtual void on_listening(std::uint64_t listener) noexcept = 0;
  /// The page that was asked for under this number has been read.
  virtual void on_read(std::uint64_t number) noexcept = 0;
  /// Something was dropped: the loop did not keep up.
  virtual void on_missed() noexcept = 0;
};

/// What one loop has been told and has not heard yet: any thread puts, the loop takes all that is
/// there in one turn, in the order in which it was put. Holds `bytes_max`; beyond that news is
/// dropped and the loop hears `on_missed`. Shared by the port and the turns it has asked for, so
/// that a port may go before the last of them.
class Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  static constexpr std::size_t bytes_max = 16 * 1024 * 1024;

  Inbox(Clock& clock, Ear& ear) : clock_(clock), ear_(&ear) {}

  void put_lines(const JobId& id, std::string_view lines) { put(Kind::lines, id, lines, 0); }
  void put_joined(const JobId& id, std::string_view session) { put(Kind::joined, id, session, 0); }
  void put_cancel(const JobId& id, std::string_view worker) { put(Kind::cancel, id, worker, 0); }
  void put_listening(std::uint64_t listener) { put(Kind::listening, {}, {}, listener); }
  void put_read(std::uint64_t number) { put(Kind::read, {}, {}, number); }

  /// On the loop, or once it has ended: nothing is heard any more, and what is put is dropped.
  void close();

 private:
  enum class Kind : std::uint8_t { lines, joined, cancel, listening, read };
  struct Message {
    Kind kind;
    JobId id;
    std::uint64_t number;
    std::size_t bytes;
  };
  struct News {
    std::vector<Message> messages;
    std::string text;  ///< of all messages, one behind the other
    bool missed = false;
  };

  void put(Kind kind, const JobId& id, std::string_view text, std::uint64_t number);
  void take();
  void tell(const Message& message, std::string_view text);

  Clock& clock_;
  Ear* ear_;  ///< the loop's
  std::mutex mutex_;
  News news_;
  bool closed_ = false;
  bool asked_ = false;  ///< a turn of the loop is on its way
};

}  // namespace millrace::disk
