"""Puts together how people prove who they are: codes, passkeys, captchas, phones, sudo, log-ins, changes by ticket.

A part of plane.py that would make it two things.
"""

from __future__ import annotations

from flux.community.account.changes import Changes
from flux.community.account.emails import EmailChange
from flux.community.account.passwords import PasswordChange
from flux.community.auth import endpoints as auth_endpoints
from flux.community.auth import second_endpoints
from flux.community.auth.admission import Admission
from flux.community.auth.login import LoginService
from flux.community.auth.mails import Mails
from flux.community.auth.recovery import Recovery
from flux.community.auth.register import RegisterService
from flux.community.auth.secondstep import SecondStep
from flux.community.auth.sessions import SessionService
from flux.community.auth.sudo import SudoService
from flux.community.captcha import endpoints as captcha_endpoints
from flux.community.captcha.service import CaptchaService
from flux.community.channels.private import PrivateChannels
from flux.community.codes.service import CodeService
from flux.community.factors.service import FactorService
from flux.community.mfa import endpoints as mfa_endpoints
from flux.community.mfa import passkey_endpoints
from flux.community.passkeys.service import PasskeyService
from flux.community.phones import endpoints as phone_endpoints
from flux.community.phones.service import PhoneService
from flux.community.upkeep import Sweeper
from flux.community.users.service import UserService
from flux.kernel.house import House
from flux.kernel.quota import Quota
from flux.kernel.wire import Plane

ROOMS = (
    auth_endpoints, second_endpoints, captcha_endpoints, mfa_endpoints, passkey_endpoints, phone_endpoints,
)  # fmt: skip


def sweepers(plane: Plane) -> list[Sweeper]:
    """What leaves expired tickets, codes and challenges behind."""
    services = plane.services
    kinds = (LoginService, SecondStep, CodeService, PasskeyService, PhoneService, Changes, CaptchaService)
    return [services[kind] for kind in kinds]


class Identities:
    """Wires these rooms. The attributes are what other storeys build on."""

    def __init__(
        self,
        house: House,
        plane: Plane,
        users: UserService,
        sessions: SessionService,
        mails: Mails,
        private: PrivateChannels,
        quota: Quota,
    ) -> None:
        self.house = house
        self.plane = plane
        self.settings = house.settings.community
        self.users = users
        self.sessions = sessions
        self.mails = mails
        self.private = private
        self.quota = quota

    def build(self) -> None:
        self._proofs()
        self._logins()
        self._changes()

    def _proofs(self) -> None:
        """What somebody can show to be who they say."""
        house, settings = self.house, self.settings
        self.codes = CodeService(house.vault, house.clock)
        self.factors = FactorService(
            house.db,
            house.clock,
            house.vault,
            house.post,
            self.users,
            self.codes,
            self.quota,
            settings.limits,
        )
        self.passkeys = PasskeyService(house.db, house.clock, self.users, settings, house.public_url)
        self.sudo = SudoService(house.db, house.vault, house.clock, self.quota, self.factors, self.passkeys)
        captcha = CaptchaService(
            house.db, house.clock, house.vault, settings.captcha, house.ports, sandbox=house.sandbox
        )
        phones = PhoneService(house.db, house.clock, self.users, self.codes, self.factors)
        self.plane.provide(self.codes, self.factors, self.passkeys, self.sudo, captcha, phones)

    def _logins(self) -> None:
        house, settings = self.house, self.settings
        self.admission = Admission(house.clock, self.users, self.sessions)
        second = SecondStep(
            house.db,
            house.clock,
            self.users,
            self.admission,
            self.factors,
            self.passkeys,
            self.quota,
            settings.limits,
        )
        self.login = LoginService(
            house.db, house.clock, self.users, self.admission, second, self.mails, self.quota, settings
        )
        recovery = Recovery(
            house.db, house.clock, self.users, self.sessions, self.admission, second, self.mails
        )
        register = RegisterService(
            house.db, house.clock, self.users, self.sessions, self.mails, settings, self.private.make_notes,
            sandbox=house.sandbox,
        )  # fmt: skip
        self.plane.provide(second, self.login, recovery, register)

    def _changes(self) -> None:
        changes = Changes(self.house.db, self.house.clock, self.mails, self.codes)
        self.emails = EmailChange(changes, self.users)
        passwords = PasswordChange(changes, self.users, self.sessions)
        self.plane.provide(changes, self.emails, passwords)
