//! The built-in roles are exactly what the table says: every role × kind × verb, in each relation of scopes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What the table allows.
struct Table {
    kinds: Vec<&'static str>,
    allowed: BTreeSet<(&'static str, &'static str, Verb)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let lines = include_str!("roles.table").lines().filter(|line| !line.starts_with('#'));
    let mut table = Table { kinds: Vec::new(), allowed: BTreeSet::new() };
    for line in lines.skip(1) {
        let mut cells = line.split_whitespace();
        let kind = cells.next().expect("a kind");
        let cells: Vec<_> = cells.collect();
        assert_eq!(cells.len(), BUILT_IN_ROLES.len(), "{kind}: a cell for each role");
        table.kinds.push(kind);
        for (role, cell) in BUILT_IN_ROLES.iter().zip(cells) {
            table.allowed.extend(verbs(kind, cell).into_iter().map(|verb| (role.name, kind, verb)));
        }
    }
    table
});

fn verbs(kind: &str, cell: &str) -> Vec<Verb> {
    let letter = |letter| match letter {
        '-' => "",
        '*' if matches!(kind, "roles" | "rolebindings") => "glwdb",
        '*' => "glwcupd",
        'r' => "glw",
        'm' => "glwup",
        'g' => "g",
        'c' => "c",
        'u' => "u",
        'p' => "p",
        'd' => "d",
        'b' => "b",
        other => panic!("{other:?} is no letter of the table"),
    };
    let verb = |letter: char| Verb::ALL.into_iter().find(|verb| verb.as_str().starts_with(letter));
    cell.chars().flat_map(|cell| letter(cell).chars()).map(|letter| verb(letter).expect("a verb")).collect()
}

/// One scope of each kind, by a name.
fn scopes(text: &str) -> [Scope; 7] {
    let name = name(text);
    [
        Scope::Office,
        Scope::Site(name.clone()),
        Scope::Slice(name.clone()),
        Scope::Service(name.clone()),
        Scope::Deployment(name.clone()),
        Scope::Tenant(name.clone()),
        Scope::Subscriber(name),
    ]
}

#[test]
fn each_role_allows_what_the_table_says_and_nothing_else() {
    let mut judged = 0;
    for built_in in BUILT_IN_ROLES {
        for scope in scopes("here") {
            let policy = policy([binding("ann", built_in.name, scope.clone())]);
            for kind in &TABLE.kinds {
                for verb in Verb::ALL {
                    let in_table = TABLE.allowed.contains(&(built_in.name, *kind, verb));
                    let decide = |scopes: &[Scope]| {
                        policy.decide(&user("ann"), &ask(verb, kind, scopes), at(0)).is_allowed()
                    };
                    let case = format!("{} over {scope}: {verb} {kind}", built_in.name);
                    assert_eq!(decide(std::slice::from_ref(&scope)), in_table, "{case} in that scope");
                    assert_eq!(decide(&scopes("here")), in_table, "{case} among others");
                    assert!(!decide(&[]), "{case} in no scope");
                    let elsewhere: Vec<_> = scopes("here")
                        .into_iter()
                        .chain(scopes("there"))
                        .filter(|other| *other != scope)
                        .collect();
                    assert!(!decide(&elsewhere), "{case} elsewhere");
                    judged += 1;
                }
            }
        }
    }
    assert_eq!(judged, BUILT_IN_ROLES.len() * 7 * TABLE.kinds.len() * Verb::ALL.len());
}

#[test]
fn roles_have_names_descriptions_and_legal_rules() {
    let names: BTreeSet<_> = BUILT_IN_ROLES.iter().map(|built_in| built_in.name).collect();
    assert_eq!(names.len(), BUILT_IN_ROLES.len());
    for built_in in BUILT_IN_ROLES {
        assert_eq!(name(built_in.name).as_str(), built_in.name);
        assert!(!built_in.description.is_empty());
        assert_eq!(built_in.role().check(), Ok(()), "{}", built_in.name);
        assert!(built_in.role().rules.iter().all(|rule| !rule.verbs.is_empty() && !rule.kinds.is_empty()));
    }
}

proptest! {
    /// Whatever built-in roles a user holds, and whatever is asked for, a cell of the table stands behind a yes.
    #[test]
    fn no_row_grants_more_than_the_table_says(
        held in prop::collection::vec((0..BUILT_IN_ROLES.len(), 0..7_usize, 0..2_usize, -5..5_i64), 0..6),
        asked in prop::collection::btree_set((0..7_usize, 0..2_usize), 0..6),
        kind in prop_oneof![prop::sample::select(TABLE.kinds.clone()).prop_map(str::to_owned), "[a-z*/]{0,12}", ".{0,8}"],
        verb in prop::sample::select(Verb::ALL.to_vec()),
    ) {
        let places = [scopes("here"), scopes("there")];
        let policy = policy(held.iter().map(|(role, scope, place, end)| {
            until(*end, binding("ann", BUILT_IN_ROLES[*role].name, places[*place][*scope].clone()))
        }));
        let asked: Vec<_> = asked.into_iter().map(|(scope, place)| places[place][scope].clone()).collect();
        let decision = policy.decide(&user("ann"), &ask(verb, &kind, &asked), at(0));
        // A kind that the table does not name is held only through `*`, as the kinds to come are.
        let row = if TABLE.kinds.contains(&kind.as_str()) { kind.as_str() } else { "kindsyettocome" };
        let part_of = kind.split_once('/').map(|(whole, _)| whole);
        let in_table = held.iter().any(|(role, scope, place, end)| {
            let name = BUILT_IN_ROLES[*role].name;
            let cell = |row| TABLE.allowed.contains(&(name, row, verb));
            let whole = part_of.is_some_and(|whole| TABLE.kinds.contains(&whole) && cell(whole));
            *end > 0 && asked.contains(&places[*place][*scope]) && (cell(row) || whole)
        });
        prop_assert!(!decision.is_allowed() || in_table, "{decision}");
    }
}
