#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/job.h"
#include "shared/contract/outcome.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

/// A conversation. Its name is its tenant's own.
struct Session {
  std::string id;
  std::string tenant = "default";
  WallTime created_at{};
  WallTime last_accessed{};
  std::string metadata;  ///< a JSON object, or empty
};

/// What was said in a conversation.
struct Message {
  std::string id;
  std::string role;  ///< `user`, `assistant`
  std::string content;
  /// `complete`, or how the job ended that was saying it: `interrupted`, `failed`, `expired`. A
  /// question to which nothing was said has it in the place of the answer.
  std::string status = "complete";
  WallTime created_at{};
  std::string token_usage{};  ///< a JSON object as in Outcome::usage, or empty
  JobId job{};                ///< that answers it, or that it is the answer of
};

/// What older messages of a session said, in few words.
struct Summary {
  std::string text;  ///< empty: there is none
  std::string upto;  ///< the id of the last message that it stands for
};

/// The ids of a job's two messages; nothing has to be kept to know them.
std::string question_id(const JobId& job);
std::string answer_id(const JobId& job);

/// Message::status of the answer of a job that ended so.
std::string_view answer_status(JobState state);
/// False for a job that was ended before it said anything: its question stays without an answer.
bool leaves_answer(const Outcome& outcome);

/// The conversations in the Store. A turn is a question and, once its job has ended, the answer:
/// `Store::finish` writes it in the transaction that ends the job, so it is there once, whatever
/// dies, and what a job had said when it was interrupted is kept. Turns are in the order in which
/// they were asked, whichever job ends first.
///
/// One object a loop. A session of which no job lives, and that neither an access nor an answer has
/// touched for the time-out, is `not_found` like another tenant's. Errors as in Store; durable.
class Sessions {
 public:
  virtual ~Sessions() = default;

  /// `conflict`: this tenant has one of that name, and it has not expired.
  virtual Task<Result<Session>> create(std::string_view tenant, std::string_view id,
                                       std::string_view metadata) = 0;
  /// Reads it, and counts as an access.
  virtual Task<Result<Session>> access(std::string_view tenant, std::string_view id) = 0;
  /// With its messages. Its turns are kept no longer (Store::unkept): those that have ended, and
  /// those that run once they end, which leave no answer.
  virtual Task<Result<>> remove(std::string_view tenant, std::string_view id) = 0;

  /// Adds a turn to the session of `job`, which answers it, and counts as an access. Before the job
  /// is put in the queue, so that its end finds the question. The same job twice is one turn.
  virtual Task<Result<Message>> ask(const Job& job, std::string_view content) = 0;
  /// Takes the turn of that job back, question and answer, as if it had never been asked. Nothing
  /// there is no error.
  virtual Task<Result<>> withdraw(const Job& job) = 0;

  /// The newest `limit`, oldest first; with `until`, of the turns up to that job's.
  virtual Task<Result<std::vector<Message>>> messages(std::string_view tenant, std::string_view id,
                                                      std::uint32_t limit,
                                                      std::optional<JobId> until = {}) = 0;

  /// The one that was kept last. None is no error.
  virtual Task<Result<Summary>> summary(std::string_view tenant, std::string_view id) = 0;
  virtual Task<Result<>> keep_summary(std::string_view tenant, std::string_view id,
                                      const Summary& summary) = 0;
};

}  // namespace millrace
