"""Words that names of columns are made of, by what they are about, in twenty-seven languages.

English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese, Japanese, Korean and
Arabic, in native script and in the usual transliteration; with fewer words Hungarian, Finnish, Vietnamese, Hindi,
Thai, Greek, Indonesian, Ukrainian, Swedish, Danish, Norwegian, Czech and Romanian, and the fields of SAP's personnel
tables. An entry of several words stands for all ways to write it: ``date of birth`` is also ``dateOfBirth``,
``DATE_OF_BIRTH`` and ``dateofbirth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["DIRECT", "QUASI", "SENSITIVE", "TEXTUAL", "WORDS", "Topic"]

Topic = Literal[
    "name", "person", "birth date", "birth", "birth place", "date", "day", "e-mail", "phone", "address", "postcode",
    "national id", "bank", "handle", "web address", "id", "text", "picture or file", "device", "coordinate",
    "birth year", "age", "gender", "country", "place", "group", "occupation", "position", "body", "year",
    "marital status", "education", "language", "religion", "health", "orientation", "politics", "union",
    "criminal record", "income", "ethnicity", "measure", "number", "code", "neutral", "ordinary",
]  # fmt: skip
"""What a word of a column name is about."""

DIRECT: Final = frozenset(
    {
        "name", "person", "birth date", "birth", "birth place", "e-mail", "phone", "address", "postcode", "national id",
        "bank", "handle", "web address", "id", "text", "picture or file", "device",
    }
)  # fmt: skip
"""Topics that name a person."""

QUASI: Final = frozenset(
    {
        "birth year", "age", "gender", "country", "place", "group", "occupation", "position", "body", "year",
        "marital status", "education", "language", "coordinate", "date", "day",
    }
)  # fmt: skip
"""Topics that somebody may know of a person from elsewhere."""

SENSITIVE: Final = frozenset(
    {"religion", "health", "orientation", "politics", "union", "criminal record", "income", "ethnicity"}
)
"""Topics that nobody should learn of a person."""

TEXTUAL: Final = frozenset(
    {"name", "e-mail", "address", "handle", "web address", "text", "picture or file", "birth place"}
)
"""Topics whose values are texts: numbers under such a name are about something else, such as how many there are."""

WORDS: Final[Mapping[Topic, str]] = {
    "name": """
        nick, gamertag, gamer tag, initial, middle initial, next of kin, nm,
        name, names, first name, last name, family name, given name, middle name, maiden name, nick name,
        full name, surname, sur name, forename, fore name, fname, lname, mname, alias, aliases, aka, known as,
        pseudonym, stage name, legal name, birth name, pen name, screen name, display name, initials,
        first names, last names, surnames, namefirst, namelast, namefull, full nm, first nm, last nm, vorname,
        vornamen, nachname, nachnamen, familienname, zuname, rufname, geburtsname, mädchenname, spitzname,
        künstlername, bezeichnung der person, vor und nachname, namen, nom, noms, prénom, prénoms,
        nom de famille, nom de jeune fille, nom complet, surnom, pseudo, patronyme, nombre, nombres, apellido,
        apellidos, primer apellido, segundo apellido, nombre completo, apodo, sobrenombre, nome, nomi, cognome,
        cognomi, nome completo, nome e cognome, soprannome, nominativo, nome proprio, sobrenome, sobrenomes,
        apelido, apelidos, primeiro nome, último nome, nomes, nome social, naam, voornaam, voornamen,
        achternaam, familienaam, roepnaam, bijnaam, meisjesnaam, tussenvoegsel, volledige naam, voorletters,
        imię, imiona, nazwisko, nazwiska, nazwisko rodowe, imię i nazwisko, przydomek, pseudonim, drugie imię,
        isim, isimler, adı, soyad, soyadı, soyisim, ad soyad, adı soyadı, lakap, takma ad, kızlık soyadı,
        tam adı, prezime, ime i prezime, ime, uzvārds, vārds, pavardė, vardas, eesnimi, perekonnanimi, priezvisko, meno,
        שם פרטי, שם משפחה, имя, имена, фамилия, фамилии, отчество, фио, полное имя, прозвище, псевдоним, никнейм,
        девичья фамилия, imya, familiya, otchestvo, fio, prozvishche, familija, imja, 姓名, 名字, 姓氏, 名称,
        全名, 昵称, 曾用名, 真实姓名, 姓, 名, 别名, 艺名, 中文名, 英文名, 用户名, 暱稱, 名稱, 別名, xingming,
        mingzi, xingshi, nicheng, quanming, 氏名, 名前, 苗字, ふりがな, フリガナ, カナ氏名, 氏名カナ, 本名,
        旧姓, ニックネーム, 愛称, 芸名, お名前, お名前カナ, なまえ, shimei, namae, myoji, furigana, kananame,
        simei, 이름, 성명, 성함, 성씨, 별명, 닉네임, 본명, 예명, 개명전이름, ireum, seongmyeong, byeolmyeong,
        اسم, الاسم, الاسم الأول, الاسم الكامل, اسم العائلة, اللقب, لقب, الكنية, كنية, اسم الأب, الاسم الأخير,
        ism, al ism, laqab, alism, allaqab, kunya, ism alaila,
        név, teljes név, vezetéknév, keresztnév, utónév, családi név, születési név, anyja neve, anyja születési neve,
        becenév, nimi, etunimi, etunimet, sukunimi, kutsumanimi, koko nimi, lempinimi, tyttönimi, họ tên, họ và tên, tên
        đệm, tên đầy đủ, नाम, पूरा नाम, उपनाम, कुलनाम, पिता का नाम, माता का नाम, पति का नाम, ชื่อ, นามสกุล, ชื่อ สกุล,
        ชื่อ นามสกุล, ชื่อเล่น, ชื่อจริง, όνομα, επώνυμο, ονοματεπώνυμο, πατρώνυμο, μητρώνυμο, όνομα πατρός, nama, nama
        lengkap, nama depan, nama belakang, nama panggilan, nama ibu, nama ayah, ім'я, прізвище, по батькові, піб,
        прізвисько, namn, förnamn, efternamn, fullständigt namn, smeknamn, tilltalsnamn, navn, fornavn, etternavn,
        efternavn, mellomnavn, mellemnavn, jméno, příjmení, celé jméno, křestní jméno, přezdívka, nume, prenume, nume
        complet, nume de familie, poreclă, nachn, vorna
    """,
    "person": """
        player, athlete, person, author, actor, actress, artist, singer, musician, writer, director, politician,
        candidate, user, username, user name, member, employee, customer, client, patient, student, teacher,
        driver, rider, coach, manager, owner, agent, subject, respondent, participant, contact, applicant,
        borrower, passenger, celebrity, individual, mother, father, spouse, husband, wife, child, parent,
        parents, sibling, partner, guardian, contestant, winner, laureate, speaker, creator, uploader, reviewer,
        editor, founder, victim, defendant, suspect, judge, officer, doctor, physician, referee, spieler,
        spielerin, athlet, sportler, autor, benutzer, nutzer, kunde, mitarbeiter, mitglied, patientin, schüler,
        lehrer, trainer, mutter, vater, ansprechpartner, teilnehmer, joueur, joueuse, auteur, utilisateur,
        employé, élève, athlète, personne, mère, père, entraîneur, jugador, jugadora, atleta, usuario, cliente,
        empleado, alumno, persona, madre, padre, entrenador, giocatore, giocatrice, utente, autore, dipendente,
        allenatore, jogador, jogadora, usuário, pessoa, funcionário, aluno, mãe, pai, treinador, speler,
        gebruiker, klant, medewerker, persoon, leerling, zawodnik, zawodniczka, gracz, użytkownik, klient,
        pracownik, osoba, matka, ojciec, oyuncu, sporcu, yazar, kullanıcı, müşteri, çalışan, kişi, öğrenci,
        anne adı, baba adı, игрок, спортсмен, автор, пользователь, клиент, сотрудник, человек, студент, пациент,
        igrok, avtor, 球员, 运动员, 作者, 用户, 客户, 员工, 学生, 患者, 演员, 选手, 会员, 联系人, 球員, qiuyuan,
        yonghu, 選手, 選手名, 作家, 著者, 利用者, ユーザー, 顧客, 従業員, 社員, 会員, 俳優, senshu, 선수, 작가,
        저자, 사용자, 고객, 직원, 회원, 환자, 학생, 배우, 선수명, 회원명, 고객명, seonsu, لاعب, اللاعب, المؤلف,
        مؤلف, المستخدم, مستخدم, العميل, عميل, الموظف, شخص, الشخص, الطالب, laib, muallif,
        captain, boss, supervisor, interviewer, rater, observer, experimenter, nurse, surgeon, therapist, counsellor,
        caregiver, teammate, arzt, ärztin, hausarzt, betreuer, betreuerin, klassenlehrer, klassenlehrerin, lehrkraft,
        versuchsleiter, versuchsperson, proband, vorgesetzter, vorgesetzte, médecin, professeur, infirmière, médico,
        profesor, docente, medico, játékos, sportoló, felhasználó, beteg, páciens, orvos, tanár, diák, tanuló, edző,
        ügyfél, dolgozó, pelaaja, urheilija, käyttäjä, potilas, lääkäri, opettaja, oppilas, opiskelija, valmentaja,
        asiakas, työntekijä, cầu thủ, vận động viên, bệnh nhân, bác sĩ, giáo viên, học sinh, sinh viên, huấn luyện viên,
        gvcn, phụ huynh, nhân viên, खिलाड़ी, मरीज, रोगी, डॉक्टर, शिक्षक, छात्र, पिता, माता, कर्मचारी, ผู้เล่น, นักกีฬา,
        ผู้ป่วย, แพทย์, ครูประจำชั้น, นักเรียน, นักศึกษา, พนักงาน, παίκτης, αθλητής, ασθενής, γιατρός, καθηγητής,
        μαθητής, φοιτητής, προπονητής, υπάλληλος, pemain, atlet, pasien, dokter, siswa, mahasiswa, pelatih, wali kelas,
        karyawan, гравець, пацієнт, лікар, вчитель, учень, тренер, працівник, spelare, idrottare, läkare, lärare,
        tränare, medarbetare, anställd, spiller, læge, lærer, træner, hráč, pacient, lékař, učitel, žák, trenér,
        zaměstnanec, jucător, antrenor, angajat
    """,
    "birth date": """
        geb dat, geburtsdat, дата рожд,
        birth date, date of birth, dob, bdate, bday, birth dt, dt of birth, dateborn, date born, born on,
        born date, born at, birth day date, date birth, dateofbirth, dofb, birth time, time of birth,
        birth timestamp, geburtsdatum, geburtstag, geb datum, gebdat, geboren am, geburtszeit,
        date de naissance, date naissance, né le, née le, naissance, anniversaire, fecha de nacimiento,
        fecha nacimiento, fec nac, fecha nac, nacimiento, cumpleaños, data di nascita, data nascita, nato il,
        nata il, nascita, compleanno, data de nascimento, data nascimento, nascimento, dt nasc, data nasc,
        aniversário, geboortedatum, geboren op, verjaardag, geboorte, data urodzenia, urodzony, urodzona,
        urodziny, data ur, datum rođenja, datum rojstva, datum narození, dátum narodenia, születési dátum,
        születési idő, syntymäaika, syntymäpäivä, fødselsdato, födelsedatum, fødselsdag, data nașterii, ngày sinh,
        tanggal lahir, ημερομηνία γέννησης, дата народження, sünniaeg, gimimo data, dzimšanas datums,
        doğum tarihi, dogum tarihi, doğum günü, дата рождения, день рождения, родился,
        рождение, data rozhdeniya, data rozdeniya, den rozhdeniya, 出生日期, 出生年月日, 生日, 出生年月,
        出生时间, 出生, chusheng riqi, shengri, chushengriqi, 生年月日, 誕生日, 出生日, seinengappi, tanjoubi,
        tanjobi, 생년월일, 생일, 출생일, 출생일자, saengnyeonworil, saengil, تاريخ الميلاد, تاريخ الولادة,
        الميلاد, يوم الميلاد, tarikh al milad, tarikh almilad, tarikh milad,
        születési dátum, születési idő, szül idő, szül dátum, syntymäaika, syntymäpäivä, synt aika, syntynyt, ngày sinh,
        ngày tháng năm sinh, जन्म तिथि, जन्म दिनांक, जन्मदिन, วันเกิด, วันเดือนปีเกิด, ημερομηνία γέννησης, ημ γέννησης,
        γέννηση, tanggal lahir, tgl lahir, дата народження, день народження, födelsedatum, född, födelsedag,
        fødselsdato, fødselsdag, født, datum narození, narozen, data nașterii, gbdat
    """,
    "birth": "birth, born, geburt, geboren",
    "birth place": """
        birth place, place of birth, pob, birth city, city of birth, born in, birth town, hometown, home town,
        birth location, birth address, geburtsort, lieu de naissance, lieu naissance, ville de naissance,
        lugar de nacimiento, lugar nacimiento, luogo di nascita, luogo nascita, local de nascimento,
        naturalidade, geboorteplaats, miejsce urodzenia, doğum yeri, место рождения, mesto rozhdeniya, 出生地,
        籍贯, 出身地, 本籍, chushengdi, 출생지, 고향, chulsaengji, مكان الميلاد, مكان الولادة, makan al milad,
        születési hely, születési helye, syntymäpaikka, nơi sinh, quê quán, जन्म स्थान, สถานที่เกิด, τόπος γέννησης,
        tempat lahir, місце народження, födelseort, fødested, místo narození, locul nașterii, gbort
    """,
    "date": """
        date, day date, timestamp, datetime, time stamp, datum, zeitstempel, fecha, data ora, tarih, дата, 日期,
        日付, 날짜, تاريخ, التاريخ, last online, created at, updated at, joined, created, updated, signup,
        last login, last seen
    """,
    "day": """
        birthday, birth day, birth month, day of birth, month of birth, birth week, birth weekday,
        birth quarter, birth season, zodiac, star sign, zodiac sign, horoscope, sternzeichen,
        signe astrologique, signo zodiacal, segno zodiacale, sterrenbeeld, znak zodiaku, burç, знак зодиака,
        星座, 별자리, day of year, day index, day sin, day cos, birthmonth, geburtsmonat, mois de naissance,
        mes de nacimiento, mese di nascita, geboortemaand, miesiąc urodzenia, doğum ayı, месяц рождения, 出生月,
        생월, birth hour
    """,
    "e-mail": """
        email, e mail, mail, emails, mails, email address, e mail address, mail address, mail adresse, courriel,
        adresse électronique, correo, correo electrónico, email addr, posta elettronica, correio eletrónico,
        e posta, eposta, posta, почта, электронная почта, эл почта, имейл, pochta, elektronnaya pochta, 邮箱,
        电子邮件, 邮件, 電子郵件, 信箱, youxiang, dianzi youjian, メール, メールアドレス, 電子メール, eメール,
        이메일, 메일, 전자우편, imeil, بريد, البريد الإلكتروني, بريد إلكتروني, الايميل, ايميل,
        al barid al iliktruni, barid,
        e mail cím, sähköposti, sähköpostiosoite, thư điện tử, ईमेल, อีเมล, ηλεκτρονική διεύθυνση, ηλεκτρονικό
        ταχυδρομείο, surel, електронна пошта, пошта, epost, epostadress
    """,
    "phone": """
        phone, phones, telephone, tel, mobile, cell, cellphone, cell phone, phone number, mobile number, fax,
        telefax, whats app, whatsapp, msisdn, phone no, tel no, landline, pager, telefon, telefonnummer, handy,
        handynummer, mobilnummer, rufnummer, mobiltelefon, téléphone, numéro de téléphone, portable, télécopie,
        gsm, teléfono, móvil, celular, número de teléfono, telefono, cellulare, numero di telefono, telefone,
        telemóvel, número de telefone, telefoonnummer, telefoon, mobiel, mobielnummer, numer telefonu, komórka,
        cep telefonu, cep tel, cep, faks, телефон, мобильный, номер телефона, факс, сотовый, mobilnyy,
        nomer telefona, 电话, 手机, 手机号, 电话号码, 联系电话, 手机号码, 传真, 電話, 手機, dianhua, shouji,
        shoujihao, chuanzhen, 電話番号, 携帯, 携帯電話, ファックス, denwa, denwabango, keitai, 전화, 전화번호,
        휴대폰, 핸드폰, 휴대전화, 팩스, 연락처, jeonhwa, jeonhwabeonho, hyudaepon, yeollakcheo, هاتف, الهاتف,
        رقم الهاتف, جوال, الجوال, موبايل, فاكس, تلفون, hatif, al hatif, jawwal, raqm al hatif,
        telefonszám, mobilszám, puhelin, puhelinnumero, matkapuhelin, điện thoại, số điện thoại, sđt, फोन, मोबाइल,
        मोबाइल नंबर, दूरभाष, โทรศัพท์, เบอร์โทร, เบอร์โทรศัพท์, มือถือ, τηλέφωνο, κινητό, telepon, no hp, nomor hp,
        nomor telepon, ponsel, мобільний, номер телефону, mobiltelefonnummer, telefonní číslo
    """,
    "address": """
        address, addresses, addr, street, street address, home address, house number, house no, address line,
        mailing address, postal address, residence, street name, apt, apartment, billing address,
        shipping address, adresse, anschrift, straße, strasse, hausnummer, wohnadresse, wohnanschrift, adressen,
        rue, domicile, dirección, domicilio, calle, indirizzo, via, residenza, endereço, rua, morada,
        logradouro, bairro, adres, straat, huisnummer, straatnaam, woonadres, ulica, adres zamieszkania,
        numer domu, sokak, cadde, mahalle, ev adresi, адрес, улица, адрес проживания, место жительства, ulitsa,
        地址, 住址, 家庭住址, 通讯地址, 街道, 住所地, dizhi, zhuzhi, 住所, 番地, 自宅住所, jusho, juusho, 주소,
        집주소, 도로명주소, 거주지, juso, عنوان, العنوان, شارع, الشارع, عنوان السكن, unwan, al unwan, sharia,
        lakcím, lakhely, utca, osoite, kotiosoite, katuosoite, địa chỉ, पता, ที่อยู่, διεύθυνση, οδός, alamat, адреса,
        вулиця, adress, gatuadress, bostadsadress, adresa, bydliště, ulice, stras
    """,
    "postcode": """
        postcode, post code, zip, zip code, zipcode, postal code, zip5, postleitzahl, plz, code postal, cp,
        código postal, codice postale, cap codice, cep código, codigo postal, kod pocztowy, posta kodu,
        почтовый индекс, индекс почтовый, pochtovyy indeks, 邮编, 邮政编码, youbian, 郵便番号, yubinbango,
        우편번호, upyeonbeonho, الرمز البريدي, ramz baridi,
        irányítószám, irsz, postinumero, mã bưu chính, mã bưu điện, पिन कोड, pin code, รหัสไปรษณีย์, ταχυδρομικός
        κώδικας, kode pos, поштовий індекс, postnummer, postnr, psč, cod poștal, pstlz
    """,
    "national id": """
        driving licence, driving license, kundennummer, kundennr, kd nr, personalnr, matrikelnr, sécu,
        n sécu, numéro de sécu,
        ssn, social security, social security number, social security no, national id, national identifier, nin,
        nino, passport, passport number, passport no, tax id, taxid, tin, tax number, driver licence,
        drivers license, driver license, licence number, license number, license plate, licence plate,
        number plate, vin, medicare, medicaid, mrn, medical record number, health insurance number,
        insurance number, nhs number, identity card, id card, identity number, voter id, ein, itin, visa number,
        student number, employee number, member number, personalausweis, personalausweisnummer, reisepass,
        reisepassnummer, steuernummer, steuer id, steueridnr, sozialversicherungsnummer, svnr, ahv,
        ausweisnummer, führerschein, kennzeichen, versichertennummer, matrikelnummer, personalnummer,
        numéro de sécurité sociale, nir, insee, passeport, carte d identité, permis de conduire, matricule, dni,
        nif, nie, cif, curp, rfc, rut, cedula, cédula, pasaporte, número de identidad, seguridad social, nss,
        cuil, cuit, codice fiscale, carta d identità, passaporto, partita iva, patente, matricola, cpf, cnpj,
        rg, passaporte, carteira de identidade, cartão de cidadão, niss, bilhete de identidade, bsn,
        burgerservicenummer, paspoort, paspoortnummer, rijksregisternummer, rijbewijs, kenteken, pesel, nip,
        paszport, dowód osobisty, numer dowodu, prawo jazdy, tc kimlik, tckn, tc kimlik no, kimlik no, kimlik,
        pasaport, vergi no, ehliyet, plaka, паспорт, инн, снилс, номер паспорта, водительские права, pasport,
        inn nomer, snils, 身份证, 身份证号, 身份证号码, 护照, 护照号, 社保号, 驾驶证, 车牌, 學號, 学号, 工号,
        身分證, shenfenzheng, huzhao, マイナンバー, 個人番号, 旅券番号, パスポート, 運転免許, 免許証番号,
        社員番号, 学籍番号, 保険証番号, mainanba, kojinbango, 주민등록번호, 주민번호, 여권, 여권번호, 운전면허,
        사번, 학번, 외국인등록번호, jumin, juminbeonho, yeogwon, رقم الهوية, الهوية, هوية, جواز السفر,
        رقم الجواز, الرقم الوطني, الرقم القومي, raqm al hawiyya, jawaz, hawiyya,
        taj szám, adóazonosító, személyi szám, személyi igazolvány, útlevél, henkilötunnus, hetu, passinumero, cccd,
        cmnd, số cmnd, căn cước công dân, hộ chiếu, आधार, आधार संख्या, aadhaar, aadhar, pan number, เลขบัตรประชาชน,
        บัตรประชาชน, หนังสือเดินทาง, αφμ, αμκα, αριθμός ταυτότητας, διαβατήριο, nomor ktp, ktp, npwp, paspor, nomor
        induk, рнокпп, іпн, personnummer, personnr, samordningsnummer, fødselsnummer, cpr nummer, rodné číslo, pernr
    """,
    "bank": """
        iban, bic, swift, account, account number, account no, acct, bank account, credit card, creditcard,
        card number, card no, cc number, ccn, pan, cvv, cvc, sort code, routing number, paypal, bitcoin, wallet,
        konto, kontonummer, bankverbindung, kreditkarte, kreditkartennummer, kartennummer, compte,
        compte bancaire, carte bancaire, rib, cuenta, cuenta bancaria, tarjeta, tarjeta de crédito, clabe,
        conto, conto corrente, carta di credito, conta, conta bancária, cartão, cartão de crédito, rekening,
        rekeningnummer, bankrekening, konto bankowe, numer konta, numer karty, hesap, hesap no, hesap numarası,
        kart no, счет, номер счета, номер карты, карта, schet, nomer karty, 银行卡, 银行账号, 账号, 账户, 卡号,
        信用卡, yinhangka, zhanghao, 口座, 口座番号, カード番号, クレジットカード, kouza, koza, 계좌, 계좌번호,
        카드번호, 신용카드, gyejwa, حساب, رقم الحساب, بطاقة, رقم البطاقة, حساب بنكي, hisab,
        bankszámla, bankszámlaszám, tilinumero, số tài khoản, बैंक खाता, खाता संख्या, เลขบัญชี, αριθμός λογαριασμού,
        nomor rekening, рахунок, номер рахунку, bankkonto, číslo účtu
    """,
    "handle": """
        fb, fb profile, profile handle, steam id,
        handle, login, user login, login name, twitter, twitter handle, instagram, insta, facebook, tiktok,
        linkedin, youtube, snapchat, telegram, skype, github, discord, wechat, weixin, weibo, vkontakte, vk,
        mastodon, reddit, orcid, twitch, social media, social handle, account name, benutzername, nutzername,
        anmeldename, identifiant, nom d utilisateur, nombre de usuario, nome utente, nome de usuário,
        gebruikersnaam, nazwa użytkownika, kullanıcı adı, логин, имя пользователя, ник, 微信, 微博, 微信号,
        抖音, 账号名, ユーザー名, ユーザ名, 아이디, 인스타그램, 카카오톡, 트위터, 사용자명, اسم المستخدم,
        حساب تويتر, تويتر, انستغرام
    """,
    "web address": """
        url, urls, uri, link, links, website, web site, homepage, home page, web page, webpage, href, permalink,
        domain, wiki, wikipedia, wikidata, imdb, web, www, profile url, profile link, webseite, internetseite,
        netzseite, site web, lien, page web, sitio web, enlace, página web, sito, sito web, collegamento, sítio,
        ligação, strona internetowa, strona www, web sitesi, bağlantı, сайт, ссылка, веб сайт, ssylka, 网址,
        链接, 网站, 主页, wangzhi, lianjie, リンク, ホームページ, サイト, 웹사이트, 링크, 홈페이지, 주소링크,
        رابط, الرابط, موقع, الموقع الإلكتروني, rabit
    """,
    "id": """
        sr no, s no, sl no, sno, srno, subj, subj no, token, hash, digest, rec id, key id, primary key,
        id, ids, identifier, uuid, guid, uid, pk, pid, idno, idnum, id number, id no, person id, personid,
        user id, userid, player id, rownames, row names, row number, rownum, row no, rowid, row id, unnamed,
        record number, record id, case number, caseno, case id, caseid, respondent id, participant id, respid, respnr,
        lfdn, lfdnr, idnr, persnr, persid, partid, subjid, hhid, vpn, vpnr, sampleid, studyid, interview number,
        subject id, index number, qid, qnumber, wikidata id, serial number, serial no, ticket number, kennung,
        kennnummer, nummer, laufnummer, identifikator, numéro, matricule id, identificador, identificativo,
        identificatie, identyfikator, kimlik id, идентификатор, ид, айди, номер, 编号, 序号, 标识, 識別番号,
        番号, id番号, bianhao, xuhao, 번호, 식별자, 일련번호, 고유번호, معرف, المعرف, الرقم, رقم, muarrif,
        azonosító, sorszám, tunniste, mã số, số thứ tự, क्रमांक, क्रम संख्या, ลำดับที่, รหัสประจำตัว, αύξων αριθμός, no
        urut, порядковий номер, ідентифікатор, löpnummer
    """,
    "text": """
        text, texts, note, notes, comment, comments, remark, remarks, bio, biography, biographies, about,
        about me, description, descriptions, essay, essays, motto, message, messages, feedback, review, reviews,
        quote, quotes, testimony, statement, narrative, story, summary, abstract, transcript, tweet, tweets,
        post text, self summary, free text, freetext, open answer, caption, captions, cv, resume, obituary,
        letter, diary, profile text, remarques, notiz, notizen, bemerkung, bemerkungen, kommentar, kommentare,
        biografie, lebenslauf, beschreibung, anmerkung, anmerkungen, freitext, texte, textes, commentaire,
        commentaires, remarque, biographie, texto, textos, nota, notas, comentario, comentarios, observaciones,
        biografía, descripción, testo, testi, note libere, commento, commenti, osservazioni, biografia,
        descrizione, comentário, comentários, observações, descrição, tekst, opmerking, opmerkingen, notitie,
        notities, beschrijving, levensloop, uwagi, komentarz, notatka, notatki, opis, życiorys, metin, notlar,
        yorum, yorumlar, açıklama, biyografi, özgeçmiş, текст, заметка, заметки, комментарий, комментарии,
        примечание, примечания, биография, описание, tekst opisanie, primechanie, kommentariy, biografiya, 备注,
        评论, 简介, 文本, 描述, 传记, 备考, 個人簡介, 个人简介, beizhu, jianjie, pinglun, 備考, コメント,
        自己紹介, 経歴, 紹介文, 本文, メモ, biko, bikou, 비고, 메모, 소개, 자기소개, 설명, 댓글, 약력, bigo,
        sogae, ملاحظات, ملاحظة, تعليق, تعليقات, نص, السيرة الذاتية, سيرة, وصف, mulahazat, taliq, sira,
        megjegyzés, vélemény, önéletrajz, leírás, huomautus, kommentti, kuvaus, ghi chú, nhận xét, mô tả, tiểu sử,
        टिप्पणी, विवरण, หมายเหตุ, ความคิดเห็น, σχόλια, παρατηρήσεις, περιγραφή, catatan, komentar, keterangan,
        deskripsi, примітка, коментар, опис, anteckning, anteckningar, beskrivning, kommentarer, poznámka, observații
    """,
    "picture or file": """
        pic, pics, profile pic, profile picture, img, imgs, screenshot,
        picture, pictures, photo, photos, photograph, image, images, portrait, headshot, mugshot, avatar, face,
        selfie, file, files, filename, file name, path, file path, image path, image file, thumbnail, video,
        videos, audio, voice, recording, signature, fingerprint, foto, fotos, bild, bilder, bilddatei, datei,
        dateiname, passbild, unterschrift, fichier, nom du fichier, imagen, imágenes, archivo, firma, immagine,
        immagini, ritratto, imagem, imagens, arquivo, ficheiro, retrato, assinatura, afbeelding, bestand,
        bestandsnaam, handtekening, zdjęcie, zdjęcia, obraz, plik, podpis, fotoğraf, resim, dosya, imza, фото,
        фотография, изображение, файл, снимок, подпись, foto fayl, 照片, 图片, 头像, 文件, 文件名, 图像, 相片,
        zhaopian, tupian, 写真, 画像, 顔写真, ファイル, ファイル名, shashin, gazou, 사진, 이미지, 파일, 파일명,
        얼굴, sajin, صورة, الصورة, صور, ملف, سورة شخصية, sura, surah,
        fénykép, valokuva, hình ảnh, फोटो, तस्वीर, รูปภาพ, φωτογραφία, gambar, фотографія
    """,
    "device": """
        ip, ip address, ipv4, ipv6, ip addr, mac, mac address, imei, imsi, device id, user agent, session id,
        cookie, cookie id, advertising id, idfa, gaid, hostname, host name, fingerprint id, browser id,
        geräte id, gerätenummer, ip adresse, adresse ip, dirección ip, indirizzo ip, endereço ip, ip adres,
        adres ip, ip adresi, айпи, ip адрес, 设备号, ip地址, 设备id, ipアドレス, 端末id, 아이피, ip주소,
        عنوان ip
    """,
    "coordinate": """
        latitude, longitude, lat, lon, lng, long, latlon, latlng, lat lon, lat long, lat lng, coordinates,
        coordinate, coords, geo, geolocation, geo location, geom, geometry, gps, location lat, location lon,
        geohash, breitengrad, längengrad, koordinaten, coordonnées, latitud, longitud, coordenadas, latitudine,
        longitudine, coordinate gps, breedtegraad, lengtegraad, coördinaten, szerokość geograficzna,
        długość geograficzna, współrzędne, enlem, boylam, koordinat, широта, долгота, координаты, shirota,
        dolgota, 纬度, 经度, 坐标, weidu, jingdu, 緯度, 経度, 座標, 위도, 경도, 좌표, خط العرض, خط الطول,
        إحداثيات
    """,
    "birth year": """
        birth year, year of birth, yob, yr born, year born, yrbrn, byear, birth yr, born year, birth decade,
        birth cohort, cohort, geburtsjahr, jahrgang, année de naissance, annee naissance, año de nacimiento,
        año nacimiento, anno di nascita, anno nascita, ano de nascimento, ano nascimento, geboortejaar,
        rok urodzenia, doğum yılı, год рождения, god rozhdeniya, 出生年, 出生年份, 生年, 출생연도, 출생년도,
        생년, سنة الميلاد, سنة الولادة, sanat al milad,
        születési év, szül év, syntymävuosi, năm sinh, जन्म वर्ष, ปีเกิด, έτος γέννησης, tahun lahir, рік народження,
        födelseår, fødselsår, rok narození, anul nașterii
    """,
    "age": """
        age, ages, age years, age in years, agea, age group, age band, generation, alter, altersgruppe, âge,
        edad, età, idade, leeftijd, wiek, yaş, возраст, vozrast, 年龄, 年齡, 岁数, nianling, 年齢, nenrei, 나이,
        연령, nai, العمر, عمر, السن, al umr,
        életkor, ikä, tuổi, आयु, उम्र, อายุ, ηλικία, usia, umur, вік, ålder, věk, vârsta
    """,
    "gender": """
        gender, sex, gndr, gender identity, geschlecht, sexe, genre, sexo, género, sesso, genere, gênero,
        geslacht, płeć, cinsiyet, пол, pol, 性别, 性別, xingbie, seibetsu, 성별, seongbyeol, الجنس, جنس, النوع,
        sukupuoli, giới tính, लिंग, เพศ, φύλο, jenis kelamin, kelamin, jk, стать, kön, køn, kjønn, pohlaví, nem, neme,
        gesch
    """,
    "country": """
        country, countries, nationality, nation, citizenship, native country, country of birth, birth country,
        cntry, country code, nationality code, continent, land, herkunftsland, staatsangehörigkeit,
        nationalität, geburtsland, pays, nationalité, pays de naissance, citoyenneté, país, nacionalidad, paese,
        nazionalità, cittadinanza, nacionalidade, nationaliteit, geboorteland, kraj, narodowość, obywatelstwo,
        ülke, uyruk, milliyet, страна, национальность, гражданство, strana, grazhdanstvo, 国家, 国籍, 國籍,
        guojia, guoji, 国, 国名, kuni, kokuseki, 국가, 국적, 나라, gukjeok, بلد, البلد, الدولة, دولة, الجنسية,
        جنسية, jinsiyya, balad,
        ország, állampolgárság, nemzetiség, kansalaisuus, kansallisuus, quốc gia, quốc tịch, देश, राष्ट्रीयता, ประเทศ,
        สัญชาติ, χώρα, εθνικότητα, υπηκοότητα, negara, kewarganegaraan, країна, громадянство, medborgarskap,
        nationalitet, země, státní příslušnost, cetățenie, natio
    """,
    "place": """
        city, town, region, state, province, county, district, location, place, municipality, village, area,
        suburb, neighborhood, neighbourhood, metro, hometown region, birth state, birth region, birth province,
        stadt, ort, wohnort, bundesland, kreis, gemeinde, ville, région, département, commune, lieu, ciudad,
        región, provincia, municipio, lugar, estado, città, regione, comune, luogo, cidade, região, município,
        local, plaats, stad, woonplaats, provincie, gemeente, regio, miasto, województwo, powiat, gmina,
        miejscowość, şehir, ilçe, bölge, город, регион, область, район, gorod, oblast, 城市, 省份, 地区, 所在地,
        市, chengshi, diqu, 都市, 都道府県, 市区町村, 地域, toshi, 도시, 지역, 시도, dosi, مدينة, المدينة,
        منطقة, المنطقة, محافظة, madina,
        város, település, megye, lakóhely, kaupunki, kunta, maakunta, kotikunta, paikkakunta, thành phố, tỉnh, huyện,
        शहर, जिला, राज्य, गांव, จังหวัด, อำเภอ, เมือง, πόλη, νομός, περιοχή, kota, provinsi, kabupaten, kecamatan,
        місто, kommun, kommune, město, okres, județ, ort01
    """,
    "group": """
        club, team, league, school, college, university, employer, company, organization, organisation,
        institution, affiliation, department, team abbreviation, franchise, squad, class room, faculty,
        high school, alma mater, workplace, agency, hospital, church, band, verein, mannschaft, liga, schule,
        universität, hochschule, arbeitgeber, firma arbeit, abteilung, unternehmen, équipe, ligue, école,
        université, employeur, entreprise, société, equipo, escuela, universidad, empleador, empresa, colegio,
        squadra, scuola, università, datore di lavoro, azienda, lega, equipe, clube, escola, universidade,
        empregador, ploeg, vereniging, werkgever, bedrijf, universiteit, drużyna, klub, szkoła, pracodawca,
        firma zatrudnienia, uczelnia, uniwersytet, kulüp, takım, lig, okul, üniversite, işveren, şirket, клуб,
        команда, лига, школа, университет, работодатель, компания, klub komanda, komanda, 俱乐部, 球队, 联赛,
        学校, 大学, 公司, 单位, 部门, qiudui, xuexiao, gongsi, クラブ, チーム, リーグ, 会社, 勤務先, 所属, 部署,
        gakkou, kaisha, 구단, 팀, 리그, 학교, 대학교, 회사, 소속, 부서, 직장, hoesa, نادي, النادي, فريق, الفريق,
        دوري, مدرسة, جامعة, شركة, الشركة, nadi,
        egyesület, csapat, iskola, egyetem, munkahely, munkáltató, osztály, seura, joukkue, koulu, yliopisto,
        työnantaja, câu lạc bộ, đội bóng, trường, công ty, विद्यालय, स्कूल, टीम, कंपनी, कक्षा, สโมสร, โรงเรียน,
        มหาวิทยาลัย, บริษัท, ομάδα, σχολείο, πανεπιστήμιο, εταιρεία, sekolah, universitas, perusahaan, університет,
        компанія, förening, skola, universitet, arbetsgivare, škola, univerzita
    """,
    "occupation": """
        occupation, profession, job, job title, career, isco, industry, known for, beruf, tätigkeit,
        berufsbezeichnung, métier, emploi, poste, profesión, ocupación, trabajo, oficio, professione, lavoro,
        occupazione, mestiere, profissão, ocupação, trabalho, beroep, functie, zawód, stanowisko, meslek,
        профессия, должность, работа, professiya, dolzhnost, 职业, 職業, 工作, 职位, 职务, zhiye, shokugyo,
        職種, 役職, 직업, 직종, 직책, jigeop, مهنة, المهنة, الوظيفة, وظيفة, mihna,
        foglalkozás, munkakör, beosztás, ammatti, nghề nghiệp, chức vụ, व्यवसाय, पेशा, อาชีพ, επάγγελμα, pekerjaan,
        jabatan, професія, посада, yrke, povolání, ocupație
    """,
    "position": """
        position, player position, team position, role on team, jersey, jersey number, jersey no, shirt number,
        squad number, draft year, draft round, draft number, draft pick, event, sport, rückennummer,
        spielposition, posición, posizione, posição, positie, pozycja, pozisyon, позиция, 位置, 场上位置,
        ポジション, 背番号, 포지션, 등번호, مركز اللعب
    """,
    "body": """
        height, weight, bmi, body mass, body mass index, body type, body size, shoe size, wingspan, arm length,
        hair colour, hair color, eye colour, eye color, blood type, handedness, stature, größe, körpergröße,
        gewicht, taille, poids, altura, estatura, peso, altezza, statura, lengte, wzrost, waga, boy uzunluğu,
        рост, вес, rost, ves, 身高, 体重, 體重, shengao, tizhong, 身長, shincho, taiju, 키, 신장, 몸무게, 체중,
        الطول, الوزن, وزن,
        magasság, testmagasság, testsúly, pituus, paino, chiều cao, cân nặng, ऊंचाई, वजन, ส่วนสูง, น้ำหนัก, ύψος, βάρος,
        tinggi badan, berat badan, зріст, вага, längd, kroppslängd, vikt, højde, vægt, výška, váha, înălțime, greutate,
        nhóm máu, vércsoport
    """,
    "year": """
        year, years, season, month, week, weekday, hour, day, jahr, année, año, anno, ano, jaar, rok, yıl, год,
        god, 年, 年份, 年度, 연도, 년도, سنة, عام
    """,
    "marital status": """
        marital status, marital, married, civil status, relationship status, family status, familienstand,
        partnership, état civil, situation familiale, estado civil, stato civile, burgerlijke staat,
        stan cywilny, medeni durum, семейное положение, 婚姻状况, 婚否, 婚姻, 婚姻状態, 配偶者, 혼인상태,
        결혼여부, 婚姻歴, الحالة الاجتماعية, relationship, children, childs, offspring, number of children,
        num children, kids, siblings, sibs,
        családi állapot, siviilisääty, tình trạng hôn nhân, hôn nhân, वैवाहिक स्थिति, สถานภาพ, οικογενειακή κατάσταση,
        status perkawinan, сімейний стан, civilstånd, civilstand, rodinný stav, stare civilă, famst
    """,
    "education": """
        education, education level, education num, degree, highest degree, qualification, eisced, schooling,
        educ, bildung, abschluss, schulabschluss, diplôme, éducation, niveau d études, educación, estudios,
        nivel educativo, istruzione, titolo di studio, educação, escolaridade, opleiding, wykształcenie, eğitim,
        образование, obrazovanie, 学历, 教育程度, 学位, xueli, 学歴, 最終学歴, gakureki, 학력, 교육수준,
        hakryeok, التعليم, المؤهل,
        végzettség, iskolai végzettség, koulutus, trình độ học vấn, शिक्षा, การศึกษา, εκπαίδευση, pendidikan, освіта,
        utbildning, uddannelse, utdanning, vzdělání
    """,
    "language": """
        language, languages, mother tongue, native language, speaks, sprache, muttersprache, langue, lengua,
        idioma, lingua, língua, taal, język, dil, язык, 语言, 母语, 言語, 언어, اللغة,
        anyanyelv, äidinkieli, ngôn ngữ, भाषा, मातृभाषा, ภาษา, γλώσσα, bahasa, рідна мова, modersmål, språk
    """,
    "religion": """
        religion, religious, relig, faith, denomination, rlgblg, rlgdnm, church membership, confession,
        konfession, religiosity, religión, religione, religião, religie, geloof, godsdienst, religia, wyznanie,
        din, mezhep, религия, вероисповедание, religiya, 宗教, 宗教信仰, 信仰, zongjiao, shukyo, 종교, jonggyo,
        الديانة, الدين, ديانة, diyana,
        vallás, felekezet, uskonto, uskontokunta, tôn giáo, धर्म, ศาสนา, θρησκεία, θρήσκευμα, agama, віросповідання,
        релігія, trosbekännelse, trossamfund, náboženství, konfe
    """,
    "health": """
        health, diagnosis, diagnoses, disease, illness, disability, disabled, medical, medical condition,
        symptom, symptoms, medication, medications, drugs, drug use, allergy, allergies, hiv, aids, cancer,
        diabetes, depression, mental health, pregnancy, pregnant, icd, icd10, injury, injuries, therapy,
        addiction, alcohol, smoker, smoking, smokes, drinks, vaccination, vaccinated, genotype, dna,
        blood pressure, insurance status, gesundheit, diagnose, krankheit, behinderung, medikament, medikamente,
        raucher, schwanger, santé, diagnostic, maladie, handicap, médicament, salud, diagnóstico, enfermedad,
        discapacidad, salute, diagnosi, malattia, disabilità, saúde, doença, deficiência, gezondheid, ziekte,
        zdrowie, diagnoza, choroba, niepełnosprawność, sağlık, tanı, hastalık, engel durumu, здоровье, диагноз,
        болезнь, инвалидность, zdorovye, 健康, 健康状况, 诊断, 疾病, 病史, jiankang, 診断, 病歴, 病名, 障害,
        건강, 진단, 질병, 병력, 장애, صحة, الصحة, تشخيص, مرض, diabetic, asthma, epilepsy, adhd, autism,
        hypertension, stroke, heart attack, heart disease, phq, phq 9, phq 2, phq 8, phq 15, gad 7, bdi, bdi 2, ces d,
        hads, glucose, blood glucose, cholesterol, hba1c, insulin, viral load, cd 4, tumor, tumour, suicide, suicidal,
        self harm, schizophrenia, bipolar, dementia, copd, hepatitis, sick leave, sick days, krankheitstage,
        schwerbehinderung, betegség, egészség, fogyatékosság, bno, bno kód, sairaus, terveys, diagnoosi, bệnh, chẩn
        đoán, sức khỏe, khuyết tật, रोग, बीमारी, स्वास्थ्य, निदान, विकलांगता, โรค, วินิจฉัย, การวินิจฉัย, สุขภาพ,
        ασθένεια, διάγνωση, υγεία, αναπηρία, penyakit, kesehatan, disabilitas, хвороба, діагноз, здоров'я, інвалідність,
        sjukdom, hälsa, diagnos, sygdom, sykdom, nemoc, zdraví, sănătate
    """,
    "orientation": """
        orientation, sexual orientation, sexuality, sexual preference, gay, lesbian, lgbt, lgbtq, homosexual,
        bisexual, transgender, sexuelle orientierung, orientation sexuelle, orientación sexual,
        orientamento sessuale, orientação sexual, seksuele geaardheid, orientacja seksualna, cinsel yönelim,
        сексуальная ориентация, 性取向, 性的指向, 성적지향, الميول الجنسية,
        szexuális irányultság, seksuaalinen suuntautuminen, xu hướng tính dục, σεξουαλικός προσανατολισμός, orientasi
        seksual, сексуальна орієнтація, sexuell läggning
    """,
    "politics": """
        politics, political, political party, party, party id, partyid, political views, polviews,
        political orientation, political affiliation, vote, voted, vote intention, voting, lrscale, left right,
        ideology, partei, parteizugehörigkeit, wahlabsicht, politik, parti, parti politique, opinion politique,
        partido, partido político, ideología, partito, partito politico, política, partij, politieke voorkeur,
        partia, poglądy polityczne, siyasi görüş, siyasi parti, партия, политические взгляды, partiya, 政党,
        政治面貌, 党派, zhengdang, 支持政党, 정당, 정치성향, حزب, الحزب, hizb,
        pártállás, pártszimpátia, puolue, puoluekanta, đảng phái, đảng viên, राजनीतिक दल, พรรคการเมือง, πολιτικό κόμμα,
        partai, partai politik, партія, politiskt parti, partitillhörighet
    """,
    "union": """
        union, trade union, union member, union membership, labour union, labor union, gewerkschaft, syndicat,
        sindicato, sindacato, vakbond, związek zawodowy, sendika, профсоюз, profsoyuz, 工会, 労働組合, 노조,
        노동조합, نقابة,
        szakszervezet, ammattiliitto, công đoàn, สหภาพแรงงาน, συνδικάτο, serikat pekerja, serikat buruh, профспілка,
        fack, fackförening, fackförbund, fagforening, odbory
    """,
    "criminal record": """
        criminal, criminal record, crime, crimes, conviction, convictions, convicted, arrest, arrested, arrests,
        offence, offense, felony, prison, sentence, vorstrafe, vorstrafen, straftat, casier judiciaire,
        condamnation, antecedentes penales, delito, condena, casellario, condanna, reato,
        antecedentes criminais, strafblad, karalność, sabıka, судимость, sudimost, 犯罪记录, 前科, 犯罪歴, 전과,
        범죄기록, سوابق, doping,
        büntetett előélet, rikosrekisteri, tiền án, ποινικό μητρώο, catatan kriminal, судимість, brottsregister,
        straffeattest, trestní rejstřík, cazier
    """,
    "income": """
        income, salary, wage, wages, earnings, debt, debts, net worth, wealth, loan, loans, mortgage,
        credit score, payroll, pay, bonus, total income, household income, hinctnta, capital gain, capital loss,
        wage eur, value eur, release clause, release clause eur, market value, transfer fee, einkommen, gehalt,
        lohn, schulden, vermögen, revenu, revenus, salaire, dette, dettes, ingreso, ingresos, salario, deuda,
        sueldo, reddito, stipendio, debito, renda, rendimento, salário, dívida, inkomen, salaris, schuld,
        dochód, dochody, zarobki, pensja, dług, gelir, maaş, borç, доход, зарплата, долг, dokhod, zarplata,
        收入, 工资, 薪水, 债务, 年收入, shouru, gongzi, 収入, 年収, 給与, 借金, nenshu, 소득, 수입, 연봉, 급여,
        부채, sodeuk, yeonbong, دخل, الدخل, راتب, الراتب, دين مالي, ratib,
        compensation, remuneration, annual salary, fizetés, jövedelem, palkka, tulot, lương, thu nhập, वेतन, आय,
        เงินเดือน, รายได้, μισθός, εισόδημα, gaji, penghasilan, pendapatan, дохід, månadslön, årslön, inkomst, indkomst,
        inntekt, příjem, salariu, venit
    """,
    "ethnicity": """
        ethnicity, ethnic, ethnic group, race, race ethnicity, skin colour, skin color, skin tone, caste, tribe,
        ancestry, migrant, refugee, ethnie, rasse, herkunft, origine ethnique, race ethnique, etnia, raza,
        origen étnico, razza, origine etnica, raça, etnicidade, cor raça, etniciteit, afkomst, ras,
        pochodzenie etniczne, rasa, etnik köken, ırk, этническая принадлежность, раса, etnicheskaya, 民族, 种族,
        人種, minzu, 민족, 인종, عرق, العرق, قبيلة,
        etnikum, etninen tausta, dân tộc, जाति, जनजाति, เชื้อชาติ, ชาติพันธุ์, εθνότητα, suku bangsa, suku, етнічне
        походження, etnicitet, etnická příslušnost
    """,
    "measure": """
        count, counts, has, have, had, is, was, are, does, did, likes, like, length, len, size, type, types,
        kind, score, scores, flag, total, sum, mean, avg, average, median, max, min, std, rate, rating, ratio,
        pct, percent, percentage, freq, frequency, daily, weekly, monthly, yearly, uses, used, use, wants,
        knows, prefers, preferred, status, level, amount, number of, num of, no of, nb, nb of, nbr, any,
        how many, many, much, per, often, quality, strength, changed, verified, available, visible, hidden,
        known, missing, valid, own, popularity, sentiment, similarity, distance, entropy, tokens, words count,
        word count, char count, chars, wpm, anzahl, ist, länge, cantidad, tiene, es, quantità, quantidade, tem,
        aantal, heeft, liczba, sayısı, var mı, количество, число, есть, 数量, 个数, 有无, 是否, 数, 件数, 有無,
        개수, 여부, عدد
    """,
    "number": """
        number, num, no, nr, numb, nº, #, numero, número, numéro de, numer, numarası, номер n, 号, 号码, 號, 番
    """,
    "code": "code, codes, idx, index, category, cat, class, cluster, abbreviation, abbr, label, enc, encoded, dummy",
    "neutral": """
        contact, first, last, middle, given, home, work, stage, screen, mobile contact, private, personal, my,
        your, his, her, their, our, the, of, and, a, an, in, on, at, to, for, by, from, with, main, primary,
        secondary, alt, alternative, other, second, original, old, new, current, former, previous, emergency,
        official, display, raw, source, src, profile, info, information, data, field, value, details, col,
        column, var, variable, x, y, person s, full, long, short, common, real, complete, entire, chinese,
        english, native, local name, latin, kana, kanji, roman, de, del, della, di, da, do, des, du, la, le,
        les, el, der, die, das, van, von, d, l, 的, の, の名前, 人, 联系, 家庭, 个人, 自宅, 連絡先, 개인, 집,
        본인, cm, kg, mm, lb, ft, usd, eur, std
    """,
    "ordinary": """
        image net, average, percentage, package, message id, mileage, usage, marriage, wage, page, village,
        storage, coverage, passage, language, biology, biological, biome, antibio, biopsy, context, hypertext,
        valid, grid, android, solid, fluid, humid, rapid, covid, avoid, paid, unpaid, aid, kid, said, raid, mid,
        acid, hybrid, liquid, steroid, thyroid, video game, rename, renamed, filament, tournament, ornament,
        microphone, headphone, saxophone, surnamed, ship, leadership, friendship, ownership, player count,
        notebook, notable, emailing, linked, linkage, blink, textile, texture, urban, curl, hurl, noted, notice,
        deposit, photon, photosynthesis, strokes, strokes gained, stroke rate, stroke play, breaststroke, backstroke
    """,
}
"""Topic -> entries, commas between them. ``measure`` turns a name into a feature, ``ordinary`` is never taken apart."""
