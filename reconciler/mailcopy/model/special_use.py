"""What a folder is for: by its attribute (RFC 6154), else by the names that mail programs give it.

Names are compared without case, spaces and accents that a program may have lost.
"""

import functools
import unicodedata
from collections.abc import Collection
from enum import StrEnum


class Use(StrEnum):
    """A special use; the value is the attribute, in lower case."""

    SENT = "\\sent"
    DRAFTS = "\\drafts"
    TRASH = "\\trash"
    JUNK = "\\junk"
    ARCHIVE = "\\archive"


VIRTUAL = frozenset({"\\all", "\\flagged", "\\important"})
"""Attributes of folders that show what lies elsewhere (RFC 6154, section 2; RFC 8457)."""

NOT_MAIL = {
    "x-shows-others": "it shows messages of other folders",
    "x-working-folder": "a working folder of the server, and there is no message in it",
}
"""What we note among the attributes of a folder that is not copied, and the rule that people are told."""

NAMES: dict[Use, tuple[str, ...]] = {
    Use.SENT: (
        "Sent", "Sent Items", "Sent Messages", "Sent Mail", "Outbox Sent",
        "Gesendet", "Gesendete Objekte", "Gesendete Elemente", "Gesendete Nachrichten", "Postausgang gesendet",
        "Envoyés", "Éléments envoyés", "Messages envoyés", "Objets envoyés",
        "Enviados", "Elementos enviados", "Mensajes enviados", "Correo enviado", "Itens enviados", "Mensagens enviadas",
        "Inviati", "Posta inviata", "Elementi inviati", "Messaggi inviati",
        "Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden objecten",
        "Wysłane", "Elementy wysłane", "Odeslaná pošta", "Odeslané", "Odoslané", "Odoslaná pošta",
        "Skickat", "Skickade objekt", "Sendt", "Sendte elementer", "Sendt post", "Sendte mails", "Lähetetyt",
        "Отправленные", "Надіслані", "Elküldött", "Elküldött elemek", "Trimise", "Poslano", "Gönderilmiş Öğeler",
        "Απεσταλμένα", "已发送", "已发送邮件", "寄件備份", "送信済み", "送信済みアイテム", "보낸 편지함",
    ),
    Use.DRAFTS: (
        "Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Rascunhos", "Bozze", "Concepten", "Kopie robocze",
        "Wersje robocze", "Koncepty", "Rozepsané", "Utkast", "Kladder", "Kladde", "Luonnokset", "Черновики",
        "Чернетки", "Piszkozatok", "Ciorne", "Skice", "Taslaklar", "Πρόχειρα", "草稿", "草稿箱", "下書き",
        "임시 보관함",
    ),
    Use.TRASH: (
        "Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin", "Papierkorb", "Gelöscht", "Gelöschte Objekte",
        "Gelöschte Elemente", "Gelöschte Nachrichten", "Corbeille", "Éléments supprimés", "Messages supprimés",
        "Papelera", "Elementos eliminados", "Lixeira", "Lixo", "Itens excluídos", "Itens eliminados", "Cestino",
        "Posta eliminata", "Elementi eliminati", "Prullenbak", "Verwijderde items", "Verwijderde berichten", "Kosz",
        "Elementy usunięte", "Koš", "Odstraněná pošta", "Kôš", "Papperskorgen", "Borttaget", "Borttagna objekt",
        "Papirkurv", "Slettet post", "Slettede elementer", "Roskakori", "Poistetut", "Корзина", "Удаленные",
        "Удалённые", "Кошик", "Lomtár", "Kuka", "Törölt elemek", "Coș de gunoi", "Çöp Kutusu", "Silinmiş Öğeler",
        "Κάδος απορριμμάτων", "已删除", "已删除邮件", "垃圾桶", "ゴミ箱", "削除済みアイテム", "휴지통",
    ),
    Use.JUNK: (
        "Junk", "Junk E-mail", "Junk Email", "Junk Mail", "Spam", "Bulk Mail", "Spamverdacht", "Junk-E-Mail",
        "Unerwünscht", "Unerwünschte Werbung", "Indésirables", "Courrier indésirable", "Pourriel", "Pourriels",
        "Correo no deseado", "Lixo eletrônico", "Lixo Electrónico", "Posta indesiderata", "Ongewenste e-mail",
        "Ongewenst", "Wiadomości-śmieci", "Niechciane", "Nevyžádaná pošta", "Nevyžiadaná pošta", "Skräppost",
        "Søppelpost", "Uønsket e-mail", "Uønsket mail", "Roskaposti", "Спам", "Нежелательная почта", "Levélszemét",
        "Neželena pošta", "İstenmeyen", "Gereksiz E-posta", "Ανεπιθύμητα", "垃圾邮件", "垃圾郵件", "迷惑メール",
        "스팸메일함",
    ),
    Use.ARCHIVE: (
        "Archive", "Archives", "Archiv", "Archivio", "Archief", "Archivo", "Arquivo", "Archiwum", "Arkiv", "Arkisto",
        "Архив", "Архів", "Archívum", "Arhiva", "Arşiv", "Αρχείο", "存档", "アーカイブ", "보관함",
    ),
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain.casefold() if c.isalnum())


_BY_NAME = {_key(name): use for use, names in NAMES.items() for name in names}
_RANKS = {key: number for number, key in enumerate(_BY_NAME)}


def use_of(path: tuple[str, ...], attributes: Collection[str]) -> tuple[Use, bool] | None:
    """The use of a folder, and whether its attribute says so; names count at the top of the tree only."""
    for use in Use:
        if use.value in attributes:
            return use, True
    if len(path) == 1 and (named := _BY_NAME.get(_key(path[0]))):
        return named, False
    return None


def rank(path: tuple[str, ...]) -> int:
    """Of folders that by name are for the same use, the one with the lowest rank is it."""
    return _RANKS.get(_key(path[0]), len(_RANKS))
