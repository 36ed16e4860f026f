#pragma once

#include <span>
#include <string>
#include <string_view>

namespace segue::clean {

/// What becomes of a row that a rule applies to. Either way it goes to
/// rejected.parquet (but for forgotten_listener); only kReject says that something is wrong with the input
/// and counts towards clean.max_rejected_share.
enum class Effect { kReject, kRemove, kDuplicate };

/// One rule. A rule with a condition is judged on the row alone, in table
/// order: the first that applies takes the row. Those without need other rows
/// or files; listens.cc and tracks.cc say when they apply.
struct Rule {
  std::string_view name;
  std::string_view table;      ///< "listens", "tracks" or "taggings"
  std::string_view field;      ///< "" the whole row
  Effect effect = Effect::kReject;
  std::string_view condition;  ///< SQL over a row of the view judged_listens or the table track_rows
  std::string_view reason;     ///< SQL over the same, VARCHAR: what is wrong with this row
  std::string_view why;        ///< a sentence for quality.json
};

/// All rules; a rule's number is its index.
std::span<const Rule> Rules();
/// The number of the rule with that table and name; a bug where there is none.
int RuleNumber(std::string_view table, std::string_view name);

/// `CASE WHEN <condition> THEN <number> ... END`: the first rule of the table
/// that applies to a row, NULL where none does.
std::string FirstRuleSql(std::string_view table);
/// `CASE <rule> WHEN <number> THEN '<name>' ... END` over all tables; likewise the field.
std::string NameSql(std::string_view rule);
std::string FieldSql(std::string_view rule);
/// `CASE <rule> WHEN <number> THEN <reason> ... END` over the table's rules.
std::string ReasonSql(std::string_view table, std::string_view rule);

/// Values outside [least, most] cannot be: they become NULL and are counted,
/// the row stays.
struct Range {
  std::string_view rule;
  std::string_view field;  ///< a column of staged tracks
  double least = 0;
  double most = 0;
  std::string_view why;
};
std::span<const Range> Ranges();
/// SQL condition: the field is given and impossible.
std::string ImpossibleSql(const Range& range);

}  // namespace segue::clean
