//! What makes the template deploy on a fresh account, again after that, and as an upgrade that changes nothing that nobody named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::template::{TEMPLATE, referred, resource, resources};

/// Executions at a time that AWS gives a new account.
const NEW_ACCOUNT: u64 = 10;

fn root_file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

fn default_of<'a>(parameter: &Value) -> &'a Value {
    &TEMPLATE["Parameters"][parameter["Ref"].as_str().unwrap()]["Default"]
}

/// Whether a condition or an assertion holds with those parameters.
fn holds(says: &Value, parameters: &BTreeMap<&str, &str>) -> bool {
    let text = |value: &Value| match value["Ref"].as_str() {
        Some(name) => parameters.get(name).map_or_else(
            || TEMPLATE["Parameters"][name]["Default"].as_str().unwrap_or_default().to_owned(),
            |value| (*value).to_owned(),
        ),
        None => value.as_str().unwrap().to_owned(),
    };
    if let Some([left, right]) = says["Fn::Equals"].as_array().map(Vec::as_slice) {
        return text(left) == text(right);
    }
    if let Some(all) = says["Fn::And"].as_array() {
        return all.iter().all(|one| holds(one, parameters));
    }
    if let Some([not]) = says["Fn::Not"].as_array().map(Vec::as_slice) {
        return !holds(not, parameters);
    }
    let name = says["Condition"].as_str().unwrap_or_else(|| panic!("{says}"));
    holds(&TEMPLATE["Conditions"][name], parameters)
}

fn is_allowed(parameters: &[(&str, &str)]) -> bool {
    let parameters = parameters.iter().copied().collect();
    TEMPLATE["Rules"].as_object().unwrap().values().all(|rule| {
        let asserted = rule["Assertions"].as_array().unwrap();
        assert!(asserted.iter().all(|one| one["AssertDescription"].as_str().unwrap().len() > 40));
        !holds(&rule["RuleCondition"], &parameters) || asserted.iter().all(|one| holds(&one["Assert"], &parameters))
    })
}

/// A new account has ten executions at a time, and refuses to reserve any of them: nothing is reserved unless somebody asks for it,
/// and event sources leave one to each function that something else calls.
#[test]
fn a_fresh_account_has_room_for_all_functions() {
    let (mut taken, mut called) = (0, 0);
    for (name, function) in resources("AWS::Serverless::Function") {
        let [condition, _, otherwise] =
            function["ReservedConcurrentExecutions"]["Fn::If"].as_array().unwrap().as_slice()
        else {
            panic!("{name}")
        };
        assert_eq!((condition, &otherwise["Ref"]), (&"Reserves".into(), &"AWS::NoValue".into()), "{name}");
        assert!(function.get("ProvisionedConcurrencyConfig").is_none(), "{name}");
        let limit = &function["Events"]["Messages"]["Properties"]["ScalingConfig"]["MaximumConcurrency"];
        if limit.is_null() {
            called += 1;
        } else {
            taken += default_of(limit).as_u64().unwrap();
        }
    }
    assert_eq!(called, 2, "the sweep and the back office");
    assert!(!holds(&TEMPLATE["Conditions"]["Reserves"], &BTreeMap::new()), "something is reserved by default");
    assert!(taken + called <= NEW_ACCOUNT, "{taken} messages and {called} calls at a time");
}

/// The first deployment says what it is for. From then on it is kept: `sam deploy` leaves what is not named, and what is named wrongly
/// is refused, since a production that becomes a test stops all posting without a sound.
#[test]
fn production_never_becomes_a_test() {
    assert!(TEMPLATE["Parameters"]["Environment"].get("Default").is_none(), "nobody says what a stack is for");
    assert!(is_allowed(&[("Environment", "test")]));
    assert!(is_allowed(&[("Environment", "production"), ("Production", "for-good")]));
    assert!(!is_allowed(&[("Environment", "test"), ("Production", "for-good")]), "production becomes a test");
    assert!(!is_allowed(&[("Environment", "production")]), "production can become a test later");
}

/// The settings of `sam deploy` name stacks, and no parameter: whatever they named, each upgrade would set again.
#[test]
fn settings_of_a_deployment_set_no_parameter() {
    let settings = root_file("samconfig.toml");
    assert!(!settings.contains("parameter_overrides"), "{settings}");
    let section = |name: &str| {
        let (_, rest) =
            settings.split_once(&format!("[{name}.deploy.parameters]")).unwrap_or_else(|| panic!("no {name}"));
        rest.split("\n[").next().unwrap().to_owned()
    };
    let mut stacks = BTreeSet::new();
    for environment in ["test", "production"] {
        let section = section(environment);
        assert!(section.contains(&format!("tags = \"app=avstem environment={environment}\"")), "{section}");
        let stack = section.lines().find_map(|line| line.strip_prefix("stack_name = ")).unwrap().trim_matches('"');
        // Buckets are called after it, the account and their part, in 63 characters that are no capitals.
        assert!(stack.len() <= 42 && stack.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{stack}");
        stacks.insert(stack.to_owned());
    }
    assert_eq!(stacks.len(), 2, "two environments are one stack");
    // Nobody sits at a keyboard in a pipeline, and nothing is deployed to a stack that nobody named.
    assert!(!settings.contains("[default.deploy.parameters]"), "{settings}");
    let told = root_file("infra/README.md");
    assert!(told.contains("--no-confirm-changeset"));
    for line in told.lines().filter(|line| line.trim_start().starts_with("sam deploy")) {
        assert!(line.contains("--config-env"), "{line}");
    }
    assert_eq!(told.matches("Environment=test").count(), 1, "a command besides the first says what a stack is for");
}

/// A region that has no SES, and an account that has the domain already, take the template too.
#[test]
fn what_sends_mails_is_there_only_where_mails_are_named() {
    let is_there = |name: &str, parameters: &[(&str, &str)]| {
        let parameters = parameters.iter().copied().collect();
        let condition = &TEMPLATE["Resources"][name]["Condition"];
        condition.is_null() || holds(&serde_json::json!({ "Condition": condition }), &parameters)
    };
    let of_mails = TEMPLATE["Resources"].as_object().unwrap().iter().filter(|(name, resource)| {
        let kind = resource["Type"].as_str().unwrap();
        kind.starts_with("AWS::SES::") || (kind.starts_with("AWS::SNS::") && name.starts_with("Mail"))
    });
    let (named, known) = ([("MailDomain", "example.no")], [("MailDomain", "example.no"), ("ExistingIdentity", "yes")]);
    let mut count = 0;
    for (name, _) in of_mails {
        assert!(!is_there(name, &[]) && is_there(name, &named), "{name}");
        assert_eq!(is_there(name, &known), name != "MailIdentity", "{name}");
        count += 1;
    }
    assert_eq!(count, 6);
    // Nothing that is always there asks for one of them, but where it is asked for in a condition.
    assert_eq!(resource("SummaryFunction")["Environment"]["Variables"]["AVSTEM_MAIL_URL"]["Fn::If"][0], "Mails");
    assert!(is_there("MailSecret", &[]), "its name is kept, and could not be given again");
}

/// Somebody can be told: by a parameter, or by the output that names the topic. The key lets SNS take what is told.
#[test]
fn alarms_can_be_told_to_somebody() {
    let subscription = resource("AlarmSubscription");
    assert_eq!(
        (referred(&subscription["TopicArn"]), &subscription["Protocol"]),
        ("AlarmTopic".into(), &"email".into())
    );
    assert_eq!(subscription["Endpoint"]["Ref"], "AlarmEmail");
    assert_eq!(TEMPLATE["Resources"]["AlarmSubscription"]["Condition"], "TellsSomebody");
    for output in [
        "Region",
        "Buckets",
        "Table",
        "Key",
        "ParseQueue",
        "ReconcileQueue",
        "SummaryQueue",
        "ParseFailed",
        "ReconcileFailed",
        "SummaryFailed",
        "AlarmTopic",
        "DashboardUrl",
        "MailRecord1",
        "MailRecord2",
        "MailRecord3",
    ] {
        assert!(TEMPLATE["Outputs"][output]["Value"].is_object(), "{output} is no output");
    }
    let statements = resource("Key")["KeyPolicy"]["Statement"].as_array().unwrap();
    let of = |service: &str| statements.iter().find(|statement| statement["Principal"]["Service"] == service).unwrap();
    let topic = of("sns.amazonaws.com")["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].as_str().unwrap();
    let name = resource("MailTopic")["TopicName"]["Fn::Sub"].as_str().unwrap();
    assert!(topic.ends_with(&format!(":{name}")), "{topic}");
}

/// A function that nears its limit, and one that is not let run, are told of before messages fail.
#[test]
fn functions_that_are_slow_or_throttled_are_told_of() {
    let all = TEMPLATE["Globals"]["Function"]["Timeout"].as_u64().unwrap();
    let alarm = |function: &str, metric: &str| {
        let mut found = resources("AWS::CloudWatch::Alarm")
            .filter(|(_, alarm)| alarm["MetricName"] == metric && alarm["Dimensions"][0]["Value"]["Ref"] == function);
        found.next().unwrap_or_else(|| panic!("{function} has no alarm of {metric}")).1
    };
    for (name, function) in resources("AWS::Serverless::Function") {
        let limit = function["Timeout"].as_u64().unwrap_or(all);
        let slow = alarm(name, "Duration");
        assert_eq!(slow["Threshold"].as_u64(), Some(limit * 1_000 * 8 / 10), "{name}");
        assert_eq!(
            (&slow["Statistic"], &slow["ComparisonOperator"]),
            (&"Maximum".into(), &"GreaterThanThreshold".into())
        );
        let throttled = alarm(name, "Throttles");
        assert_eq!((&throttled["Statistic"], throttled["Threshold"].as_u64()), (&"Sum".into(), Some(1)), "{name}");
    }
    // Some lines have no transaction every day: told is what is more than usual.
    let unmatched = resource("UnmatchedLinesAlarm");
    assert_eq!(unmatched["ComparisonOperator"], "GreaterThanUpperThreshold");
    assert_eq!(unmatched["ThresholdMetricId"], unmatched["Metrics"][1]["Id"]);
    let band = unmatched["Metrics"][1]["Expression"].as_str().unwrap();
    assert!(band.starts_with("ANOMALY_DETECTION_BAND(lines"), "{band}");
}

/// What names people leaves where nobody needs it any longer; what is to be kept does not.
#[test]
fn landing_and_mails_expire_and_nothing_else_does() {
    for (name, bucket) in resources("AWS::S3::Bucket") {
        let rules = bucket["LifecycleConfiguration"]["Rules"].as_array().unwrap();
        let expires: Vec<&Value> = rules.iter().filter_map(|rule| rule.get("ExpirationInDays")).collect();
        let days = match name {
            "LandingBucket" => Some(90),
            "MailBucket" => Some(365),
            "LogBucket" => Some(400),
            _ => None,
        };
        let found = expires.first().map(|days| if days["Ref"].is_string() { default_of(days) } else { days });
        assert_eq!(found.and_then(Value::as_u64), days, "{name}");
        // An upload that was written over is still read while its message waits, or waits among those that failed.
        if name == "LandingBucket" {
            let kept = rules.iter().find_map(|rule| rule["NoncurrentVersionExpiration"]["NoncurrentDays"].as_u64());
            let waits: u64 = ["ParseQueue", "ParseFailed"]
                .iter()
                .map(|queue| resource(queue)["MessageRetentionPeriod"].as_u64().unwrap())
                .sum();
            assert!(kept.unwrap() * 86_400 > waits);
        }
    }
}

/// What nobody but a real account can show stands where a person ticks it off, and is short.
#[test]
fn what_only_an_account_can_show_is_a_short_list() {
    let list = root_file("infra/first-deploy.md");
    let lines: Vec<&str> = list.lines().filter(|line| line.starts_with("- [ ] ")).collect();
    assert!(!lines.is_empty() && list.lines().filter(|line| !line.trim().is_empty()).count() <= 10, "{list}");
}
