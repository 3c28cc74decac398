"""What Apollo's exports of contacts and of accounts have in common: the columns of a company. `Account Owner` and
`Contact Owner` hold the exporter's own address and belong to no lead."""

from outreach.core.names import names_no_company
from outreach.core.places import country_name, region_name
from outreach.core.records import CompanyFacts
from outreach.core.values import company_name, parse_date, parse_dollars, parse_employees, text_value
from outreach.importers._fields import Fields, Headers, source_id, texts

COMPANY_HEADERS: Headers = {
    "company": ("Company", "Company Name", "Account Name"),
    "company_short": ("Company Name for Emails",),
    "website": ("Website",),
    "company_linkedin": ("Company Linkedin Url",),
    "city": ("Company City",),
    "region": ("Company State",),
    "country": ("Company Country",),
    "employees": ("# Employees",),
    "industry": ("Industry",),
    "description": ("SEO Description", "Short Description"),
    "founded": ("Founded Year",),
    "funding": ("Total Funding",),
    "last_funding_type": ("Latest Funding",),
    "last_funding": ("Latest Funding Amount",),
    "last_funding_on": ("Last Raised At",),
    "phone": ("Company Phone", "Corporate Phone"),
    "account_id": ("Apollo Account Id",),
}


def company(fields: Fields) -> CompanyFacts | None:
    """`Acme | Agile Staffing` is Acme with its tagline; what mails are to call it is another name of it."""
    whole = company_name(fields["company"])
    if not whole or names_no_company(whole):
        return None
    called = whole.partition(" | ")[0].strip() or whole
    others = (whole, company_name(fields["company_short"]))
    country = country_name(text_value(fields["country"]))
    return CompanyFacts(
        name=called,
        website=text_value(fields["website"]),
        linkedin=text_value(fields["company_linkedin"]),
        description=text_value(fields["description"], limit=2000),
        industries=texts(fields["industry"], ","),
        city=text_value(fields["city"]),
        region=region_name(text_value(fields["region"]), country),
        country=country,
        employees=parse_employees(fields["employees"]),
        founded=parse_date(fields["founded"]),
        funding_total=parse_dollars(fields["funding"]),
        last_funding_type=text_value(fields["last_funding_type"]),
        last_funding_on=parse_date(fields["last_funding_on"]),
        phone=text_value(fields["phone"]),
        aliases=tuple(dict.fromkeys(other for other in others if other and other != called)),
        ids=source_id("apollo", fields["account_id"]),
        last_funding=parse_dollars(fields["last_funding"]),
    )
