"""Validates e-mail addresses with email-validator."""

import email_validator

# PocketBase accepts addresses in these domains (.local, .test, …), and private mail servers deliver
# to them. The library has one list for the whole process.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def clean_address(text: str, *, allow_dotless: bool = False) -> str:
    """Return the address for a mail header, "" if the text is not one ASCII address.

    International domains are returned in ASCII form (IDNA 2008).

    Args:
        allow_dotless: accept domains without a dot, such as localhost.
    """
    try:
        found = email_validator.validate_email(
            text.strip(),
            strict=True,
            allow_smtputf8=False,
            check_deliverability=False,
            globally_deliverable=not allow_dotless,
        )
    except email_validator.EmailNotValidError:
        return ""
    return found.ascii_email or ""
