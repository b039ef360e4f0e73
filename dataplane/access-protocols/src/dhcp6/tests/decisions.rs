//! Messages that are answered with associations, in every state of the line.

use super::{
    Exchange::{RapidCommit, Rebind, Renew, Request},
    *,
};

/// What is done, on which session, with what bound, by which message; type and associations of the reply, what becomes
/// of the bindings, and why.
type Case<'a> = (&'a str, &'a Session, &'a Bindings, Client, Said, Vec<Vec<Part>>, BindingChange, Event);

/// Lines, and who has what on them.
struct Fixtures {
    any: Session,
    fixed: Session,
    no_prefix: Session,
    no_address: Session,
    nobody: Bindings,
    mine: Bindings,
    others: Bindings,
    my_other: Bindings,
    half: Bindings,
    expired: Bindings,
}

impl Fixtures {
    fn new() -> Self {
        let with = |line: Ipv6Line| Session { ipv6: Some(line), ..session() };
        let both = |address, prefix| Bindings { address: Some(address), prefix: Some(prefix) };
        let one = |address| Bindings { address: Some(address), prefix: None };
        Self {
            any: session(),
            fixed: Session { mac: Some(mac(0xaa)), ..session() },
            no_prefix: with(Ipv6Line { delegated: None, ..line() }),
            no_address: with(Ipv6Line { address: None, ..line() }),
            nobody: Bindings::default(),
            mine: both(binding(0xaa, 1), binding(0xaa, 9)),
            others: both(binding(0xbb, 1), binding(0xbb, 9)),
            my_other: one(binding(0xaa, 2)),
            half: both(binding(0xbb, 1), binding(0xaa, 9)),
            expired: one(Binding { expires_s: NOW_S, ..binding(0xbb, 1) }),
        }
    }
}

fn keep() -> BindingChange {
    BindingChange::Keep
}

fn set(address: Option<Binding>, prefix: Option<Binding>) -> BindingChange {
    BindingChange::Set(Bindings { address, prefix })
}

fn all_mine() -> BindingChange {
    set(Some(fresh(0xaa, 1)), Some(fresh(0xaa, 9)))
}

fn an_address() -> Vec<Part> {
    vec![Part::Address(ADDRESS, 1800, 3600)]
}

fn a_prefix() -> Vec<Part> {
    vec![Part::Prefix(PREFIX.0, PREFIX.1, 1800, 3600)]
}

fn everything() -> Vec<Vec<Part>> {
    vec![an_address(), a_prefix()]
}

fn told(status: Status) -> Vec<Part> {
    vec![Part::Status(status)]
}

fn stale(address: Ipv6Addr) -> Part {
    Part::Address(address, 0, 0)
}

fn leased(exchange: Exchange, address: bool, prefix: bool, displaced: Option<u8>) -> Event {
    Event::Leased { exchange, address, prefix, displaced: displaced.map(duid) }
}

fn held(last: u8) -> Event {
    Event::Refused(Refusal::HeldBy(duid(last)))
}

fn asks(kind: u8) -> Client {
    Client::new(kind, 0xaa).address(1, &[]).prefix(9, &[])
}

fn has(kind: u8) -> Client {
    Client::new(kind, 0xaa).address(1, &[ADDRESS]).prefix(9, &[PREFIX])
}

#[test]
fn who_starts_is_given_what_there_is() {
    let it = Fixtures::new();
    let (advertise, reply) = (Said::Advertise, Said::Reply);
    let rapid = || asks(SOLICIT).option(14, &[]);
    let unavailable = || Event::Refused(Refusal::Unavailable);
    #[rustfmt::skip]
    check(vec![
        ("Solicit, nobody bound", &it.any, &it.nobody, asks(SOLICIT), advertise, everything(), keep(), Event::Advertised),
        ("Solicit, another bound", &it.any, &it.others, asks(SOLICIT), advertise, everything(), keep(), Event::Advertised),
        ("Solicit that wishes for something else", &it.any, &it.nobody, Client::new(SOLICIT, 0xaa).address(1, &[STRANGE]), advertise, vec![an_address()], keep(), Event::Advertised),
        ("Solicit for several", &it.any, &it.nobody, asks(SOLICIT).address(2, &[]).prefix(8, &[]), advertise,
            vec![an_address(), a_prefix(), told(Status::NoAddrsAvail), told(Status::NoPrefixAvail)], keep(), Event::Advertised),
        ("Solicit for temporary addresses", &it.any, &it.nobody, Client::new(SOLICIT, 0xaa).temporary(1, &[]), advertise, vec![told(Status::NoAddrsAvail)], keep(), unavailable()),
        ("Solicit for a prefix where there is none", &it.no_prefix, &it.nobody, asks(SOLICIT), advertise, vec![an_address(), told(Status::NoPrefixAvail)], keep(), Event::Advertised),
        ("Solicit for an address where there is none", &it.no_address, &it.nobody, asks(SOLICIT), advertise, vec![told(Status::NoAddrsAvail), a_prefix()], keep(), Event::Advertised),
        ("Solicit with rapid commit", &it.any, &it.nobody, rapid(), reply, everything(), all_mine(), leased(RapidCommit, true, true, None)),
        ("Solicit with rapid commit takes over", &it.any, &it.others, rapid(), reply, everything(), all_mine(), leased(RapidCommit, true, true, Some(0xbb))),
        ("Request", &it.any, &it.nobody, has(REQUEST), reply, everything(), all_mine(), leased(Request, true, true, None)),
        ("Request again", &it.any, &it.mine, has(REQUEST), reply, everything(), all_mine(), leased(Request, true, true, None)),
        ("Request takes over", &it.any, &it.others, has(REQUEST), reply, everything(), all_mine(), leased(Request, true, true, Some(0xbb))),
        ("Request takes the address over, and leaves the prefix", &it.any, &it.others, Client::new(REQUEST, 0xaa).address(1, &[]), reply, vec![an_address()],
            set(Some(fresh(0xaa, 1)), it.others.prefix.clone()), leased(Request, true, false, Some(0xbb))),
        ("Request after the other's lease", &it.any, &it.expired, has(REQUEST), reply, everything(), all_mine(), leased(Request, true, true, None)),
        ("Request by the configured MAC", &it.fixed, &it.others, has(REQUEST), reply, everything(), all_mine(), leased(Request, true, true, None)),
        ("Request for an address of the link", &it.any, &it.nobody, Client::new(REQUEST, 0xaa).address(1, &[NEAR]), reply, vec![an_address()],
            set(Some(fresh(0xaa, 1)), None), leased(Request, true, false, None)),
        ("Request for an address of another link", &it.any, &it.nobody, Client::new(REQUEST, 0xaa).address(1, &[STRANGE]), reply, vec![told(Status::NotOnLink)], keep(), Event::Refused(Refusal::NotOnLink)),
        ("Request for another prefix", &it.any, &it.nobody, Client::new(REQUEST, 0xaa).prefix(9, &[OTHER_PREFIX]), reply, vec![a_prefix()],
            set(None, Some(fresh(0xaa, 9))), leased(Request, false, true, None)),
        ("Request for what there is not", &it.no_prefix, &it.nobody, Client::new(REQUEST, 0xaa).prefix(9, &[]), reply, vec![told(Status::NoPrefixAvail)], keep(), unavailable()),
        ("Request by a new association of the holder", &it.any, &it.my_other, Client::new(REQUEST, 0xaa).address(1, &[]), reply, vec![an_address()],
            set(Some(fresh(0xaa, 1)), None), leased(Request, true, false, None)),
        ("Request for two, the second of which is bound", &it.any, &it.my_other, Client::new(REQUEST, 0xaa).address(1, &[]).address(2, &[]), reply,
            vec![told(Status::NoAddrsAvail), an_address()], set(Some(fresh(0xaa, 2)), None), leased(Request, true, false, None)),
    ]);
}

#[test]
fn who_extends_keeps_what_it_has() {
    let it = Fixtures::new();
    let reply = Said::Reply;
    #[rustfmt::skip]
    check(vec![
        ("Renew", &it.any, &it.mine, has(RENEW), reply, everything(), all_mine(), leased(Renew, true, true, None)),
        ("Renew, binding lost", &it.any, &it.nobody, has(RENEW), reply, everything(), all_mine(), leased(Renew, true, true, None)),
        ("Renew, displaced", &it.any, &it.others, has(RENEW), reply, vec![told(Status::NoBinding), told(Status::NoBinding)], keep(), held(0xbb)),
        ("Renew, the address displaced", &it.any, &it.half, has(RENEW), reply, vec![told(Status::NoBinding), a_prefix()],
            set(it.others.address.clone(), Some(fresh(0xaa, 9))), leased(Renew, false, true, None)),
        ("Renew, displaced, then expired", &it.any, &it.expired, Client::new(RENEW, 0xaa).address(1, &[ADDRESS]), reply, vec![an_address()],
            set(Some(fresh(0xaa, 1)), None), leased(Renew, true, false, None)),
        ("Renew by another association of the holder", &it.any, &it.my_other, Client::new(RENEW, 0xaa).address(1, &[ADDRESS]), reply, vec![told(Status::NoBinding)], keep(), held(0xaa)),
        ("Renew of an address that the line had before", &it.any, &it.mine, Client::new(RENEW, 0xaa).address(1, &[STRANGE, ADDRESS]), reply, vec![vec![Part::Address(ADDRESS, 1800, 3600), stale(STRANGE)]],
            set(Some(fresh(0xaa, 1)), it.mine.prefix.clone()), leased(Renew, true, false, None)),
        ("Renew of a prefix that the line had before", &it.no_prefix, &it.mine, has(RENEW), reply,
            vec![an_address(), vec![Part::Status(Status::NoPrefixAvail), Part::Prefix(PREFIX.0, PREFIX.1, 0, 0)]],
            set(Some(fresh(0xaa, 1)), it.mine.prefix.clone()), leased(Renew, true, false, None)),
        ("Renew of two", &it.any, &it.mine, Client::new(RENEW, 0xaa).address(3, &[ADDRESS]).address(1, &[ADDRESS]), reply,
            vec![vec![Part::Status(Status::NoAddrsAvail), stale(ADDRESS)], an_address()],
            set(Some(fresh(0xaa, 1)), it.mine.prefix.clone()), leased(Renew, true, false, None)),
        ("Rebind", &it.any, &it.mine, has(REBIND), reply, everything(), all_mine(), leased(Rebind, true, true, None)),
        ("Rebind, displaced", &it.any, &it.others, has(REBIND), reply, vec![told(Status::NoBinding), told(Status::NoBinding)], keep(), held(0xbb)),
        ("Rebind, displaced, configured MAC", &it.fixed, &it.others, has(REBIND), reply, everything(), all_mine(), leased(Rebind, true, true, None)),
    ]);
}

#[test]
fn who_ends_gives_up_what_it_has() {
    let it = Fixtures::new();
    let reply = Said::Reply;
    let no_binding = || Event::Refused(Refusal::NoBinding);
    #[rustfmt::skip]
    check(vec![
        ("Release", &it.any, &it.mine, has(RELEASE), reply, vec![], set(None, None), Event::Released),
        ("Release of one", &it.any, &it.mine, Client::new(RELEASE, 0xaa).address(1, &[ADDRESS]), reply, vec![], set(None, it.mine.prefix.clone()), Event::Released),
        ("Release by another", &it.any, &it.others, has(RELEASE), reply, vec![told(Status::NoBinding), told(Status::NoBinding)], keep(), no_binding()),
        ("Release of another association", &it.any, &it.my_other, Client::new(RELEASE, 0xaa).address(1, &[ADDRESS]), reply, vec![told(Status::NoBinding)], keep(), no_binding()),
        ("Release of another address", &it.any, &it.mine, Client::new(RELEASE, 0xaa).address(1, &[NEAR]), reply, vec![told(Status::NoBinding)], keep(), no_binding()),
        ("Decline", &it.any, &it.mine, Client::new(DECLINE, 0xaa).address(1, &[ADDRESS]), reply, vec![], set(None, it.mine.prefix.clone()), Event::Declined),
        ("Decline by another", &it.any, &it.others, Client::new(DECLINE, 0xaa).address(1, &[ADDRESS]), reply, vec![told(Status::NoBinding)], keep(), no_binding()),
        ("Decline of a prefix", &it.any, &it.mine, Client::new(DECLINE, 0xaa).prefix(9, &[PREFIX]), reply, vec![told(Status::NoBinding)], keep(), no_binding()),
    ]);
}

fn check(cases: Vec<Case>) {
    for (what, session, bound, client, kind, expected, bindings, event) in cases {
        let outcome = run(session, bound, &client);
        assert_eq!(outcome.event, event, "{what}");
        assert_eq!(outcome.bindings, bindings, "{what}");
        assert_eq!(outcome.neighbour, Some(Neighbour { address: HOST, mac: mac(0xaa) }), "{what}");
        let read = Read::new(&outcome);
        assert_eq!(read.kind, kind, "{what}");
        let ends = [RELEASE, DECLINE].contains(&client.kind);
        assert_eq!(read.status, ends.then_some(Status::Success), "{what}");
        let rapid = kind == Said::Reply && client.kind == SOLICIT;
        assert_eq!(read.has(OptionCode::RapidCommit), rapid, "{what}");
        assert_eq!(read.has(OptionCode::Preference), kind == Said::Advertise, "{what}");
        assert!(read.has(OptionCode::ServerId) && read.has(OptionCode::ClientId), "{what}");
        let mut associations = read.associations;
        associations.sort_by_key(|told| place(&client, told));
        assert_eq!(associations.len(), expected.len(), "{what}");
        for (told, expected) in associations.iter().zip(&expected) {
            let gives = matches!(expected.first(), Some(Part::Address(.., 1..) | Part::Prefix(.., 1..)));
            assert_eq!(told.times, if gives { (900, 1440) } else { (0, 0) }, "{what}");
            assert_eq!(told.parts.len(), expected.len(), "{what}");
            assert!(told.parts.iter().all(|part| expected.contains(part)), "{what}: {:?}", told.parts);
        }
    }
}

/// Where in the client's message an association is. (The decoder sorts.)
fn place(client: &Client, told: &Told) -> Option<usize> {
    let (code, iaid) = (told.code.to_be_bytes(), told.iaid.to_be_bytes());
    client.options.windows(8).position(|bytes| bytes[..2] == code && bytes[4..] == iaid)
}
