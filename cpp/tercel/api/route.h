// A route as it is registered, and what can be told of it before requests come.
//
// Tested by app_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tercel/api/body_plan.h"
#include "tercel/api/call.h"
#include "tercel/api/credential_rule.h"
#include "tercel/api/parameter.h"
#include "tercel/edge/rate_rule.h"
#include "tercel/route/problem.h"

namespace tercel::api {

// Credentials that a route asks for.
struct Demand {
  const CredentialRule* rule;  // Outlives the app.
  // Called without arguments for a request that does not meet it; null: the rule answers.
  std::unique_ptr<Endpoint> refused = {};
};

struct Route {
  std::string method;
  std::string path;       // A template (route/template.h).
  std::string name = {};  // For messages.
  std::vector<Parameter> parameters = {};
  BodyPlan body = {};
  std::unique_ptr<Endpoint> endpoint = {};
  edge::RateRule* rate = nullptr;  // Outlives the app; null: no limit. Several routes may share it.
  std::vector<Demand> demands = {};  // Asked in this order.
  bool passed_on = false;            // To App::set_passed_on().
};

// Each returns nothing, or a sentence that says what to change about the route.
// Too many parameters, or two of one name at one place.
[[nodiscard]] route::Problem check_parameters(const Route& route);
// Makes a form the body of a route that takes parameters from one, and that has no other: its limit
// is what the texts and the files may have together.
[[nodiscard]] route::Problem plan_form(Route& route);
// Adds the fields of the path that are no parameters. What is wrong with the path is told by who
// registers it.
[[nodiscard]] route::Problem add_path_parameters(Route& route, route::UserConverters* users);

}  // namespace tercel::api
