"""The demo's little internet: what `find` finds there, by the names of the companies."""

from outreach.core.ports import FinderTools, MailHost, Wanted
from outreach.demo.sites import Sites
from outreach.finders import make_finders
from tests.fakes import FakeClock


def test_a_founder_on_a_team_page_is_found_and_a_site_that_forbids_it_is_left_alone() -> None:
    sites = Sites()
    network = sites.start()
    try:
        assert network.web
        assert network.mail_hosts
        (website,) = make_finders(["website"], FinderTools(network.web("test"), FakeClock(), str))
        found = {}
        for name, company in (("Tobias Aurich", "quillmoss"), ("Kwabena Ofosuhene", "nimbarrow"), ("Ada X", "sorvino")):
            wanted = Wanted(1, name, company, f"{company}.example", website=f"https://www.{company}.example")
            (question,) = website.questions(wanted)
            candidates = website.read(wanted, website.ask(question).data)
            found[name] = [each.address for each in candidates if not each.of_company]
        assert network.mail_hosts().look_up("quillmoss.example").state is MailHost.TAKES
    finally:
        sites.stop()
    assert found == {"Tobias Aurich": ["tobias@quillmoss.example"], "Kwabena Ofosuhene": [], "Ada X": []}
