"""Frequent given names and family names, to tell a column of people from one of things; facts, in no order."""

from __future__ import annotations

from typing import Final

__all__ = ["CHINESE_FAMILY", "FAMILY", "GIVEN", "JAPANESE_FAMILY", "KOREAN_FAMILY"]

GIVEN: Final = """
    james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony
    mark donald steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan
    jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory frank alexander
    raymond patrick jack dennis jerry tyler aaron jose adam nathan henry douglas zachary peter kyle walter ethan
    jeremy harold keith christian roger noah gerald carl terry sean austin arthur lawrence jesse dylan bryan joe
    jordan billy bruce albert willie gabriel logan alan juan wayne roy ralph randy eugene vincent russell elijah
    louis bobby philip johnny mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa
    nancy betty margaret sandra ashley kimberly emily donna michelle carol amanda dorothy melissa deborah
    stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen
    samantha katherine christine debra rachel carolyn janet catherine maria heather diane ruth julie olivia
    joyce virginia victoria kelly lauren christina joan evelyn judith megan andrea cheryl hannah jacqueline
    martha gloria teresa ann sara madison frances kathryn janice jean abigail alice julia judy sophia grace
    denise amber doris marilyn danielle beverly isabella theresa diana natalie brittany charlotte marie kayla
    alexis lori oliver harry oscar leo freddie archie theo amelia isla ava mia poppy lily freya florence willow
    rosie ella luca finn hans wolfgang klaus jurgen juergen dieter manfred uwe helmut stefan andreas matthias
    markus sebastian lukas leon jonas felix maximilian moritz tim niklas jan florian sabine ursula petra monika
    claudia susanne gabriele ingrid renate birgit karin heike anja katrin lena leonie lea johanna franziska
    greta lotte anke jutta heinz gunter horst bernd holger ralf jorg torsten sven kai dirk pierre michel andre
    philippe rene alain jacques bernard marcel claude francois nicolas julien antoine hugo lucas mathieu
    guillaume olivier laurent thierry pascal sylvie nathalie isabelle martine francoise valerie sandrine
    veronique sophie celine aurelie camille manon chloe jeanne brigitte helene monique margaux emile elodie
    antonio manuel francisco javier jesus carlos miguel alejandro rafael pedro pablo angel sergio fernando jorge
    luis alberto alvaro diego adrian raul enrique ramon vicente andres santiago carmen josefa isabel dolores
    pilar ana francisca cristina lucia marta elena raquel rosario mercedes concepcion paula sofia valentina
    camila giuseppe giovanni mario luigi francesco angelo vincenzo pietro salvatore carlo franco domenico bruno
    paolo marco matteo alessandro lorenzo davide simone giulia chiara francesca martina federica elisa alessia
    giorgia rosa giuseppina caterina joao paulo rui tiago gustavo felipe rodrigo leonardo thiago ronaldo ricardo
    fernanda juliana mariana beatriz larissa leticia gabriela adriana aline bruna ines joana piet pieter willem
    kees johannes hendrik cornelis bram daan sem lars thijs maarten joost wouter anneke marieke femke sanne
    fleur wilhelmina andrzej piotr krzysztof stanislaw tomasz pawel jozef marcin marek michal grzegorz jerzy
    tadeusz lukasz zbigniew ryszard kazimierz wojciech jakub katarzyna malgorzata agnieszka krystyna ewa
    elzbieta zofia magdalena joanna aleksandra zuzanna mehmet mustafa ahmet ali huseyin hasan ibrahim ismail
    osman yusuf murat omer ramazan emre can burak fatma ayse emine hatice zeynep elif meryem serife zehra sultan
    hanife merve ozlem esra ivan sergey sergei aleksandr dmitry dmitri andrey andrei alexey aleksei vladimir
    mikhail nikolay nikolai igor yuri oleg pavel roman viktor anatoly boris konstantin anastasia olga tatiana
    tatyana natalia natalya irina svetlana ekaterina marina yulia ludmila galina mohammed muhammad mohamed ahmed
    ahmad hassan hussein omar khaled khalid abdullah abdul mahmoud youssef yousef hamza said tariq fatima aisha
    maryam khadija zainab layla amina noor huda salma rania wei fang na min jing li qiang lei jun yang yong yan
    jie tao ming chao xiuying hiroshi takashi kenji yuki haruto sota ren akira satoshi yuto sakura hina yui aoi
    keiko yoko naoko haruka minjun seojun jiho jihoon minho sungmin jisoo minji jiwoo seoyeon hyun raj rahul
    amit sanjay vijay ravi anil sunil suresh ramesh rajesh arjun priya anjali pooja neha sunita lakshmi kavita
    kofi kwame ama chinedu emeka ngozi oluwaseun adebayo chidi amara fatou moussa mamadou ousmane erik anders
    johan karl nils olof per gustaf mikael astrid kristina birgitta linnea soren jens mette kirsten hanne bjorn
    ole knut kari liv dimitris giorgos yannis kostas nikos eleni katerina istvan laszlo jozsef zoltan sandor
    zsuzsanna eszter katalin jiri petr jaroslav tereza ion mihai nguyen minh thanh hung linh huong lan duc ada
    zoe lin hana marisol bo mei иван сергей александр дмитрий андрей алексей владимир михаил николай игорь юрий
    олег павел роман виктор анатолий борис константин максим артем никита анастасия ольга татьяна елена наталья
    ирина светлана екатерина марина юлия людмила галина мария анна дарья محمد احمد أحمد علي حسن حسين عمر خالد
    عبدالله عبد ابراهيم إبراهيم محمود يوسف مصطفى حمزة سعيد طارق فاطمة عائشة مريم خديجة زينب ليلى امينة نور هدى
    سلمى رانيا
    lionel cristiano neymar kylian erling toni karim luka harald satya sofie soren bence mate levente adam david
    balazs zsofia reka csenge gergo attila ildiko zoltan boglarka gabor ferenc tamas peter andras janos gyorgy imre
    csaba akos mark dora erzsebet ilona agnes monika edit krisztina orsolya timea noemi szabolcs tibor bela lajos
    miklos juhani aino eero helmi vaino kaisa pekka riikka jukka tuula mikko satu onni matti heikki antti juha timo
    kari jari marja liisa pirjo paivi sanna minna johanna tiina elina ville jussi aleksi emilia anneli ritva kalle
    lauri tapio olavi eino veikko seppo văn hùng hoàng phương trang tuấn dũng cường quân thảo nga ngọc hạnh hải nam
    quang trung bảo đức khánh nhung thị hữu đình quốc राहुल प्रिया अमित नेहा विकास पूजा संजय अनिता रोहित सुनीता दीपक
    राजेश सुरेश रमेश महेश अनिल सुनील विजय अजय मनोज रवि राज मोहन सीता गीता कविता मीना रेखा लक्ष्मी सरिता आरती ज्योति
    अंजलि किरण संगीता ममता शर्मा वर्मा गुप्ता सिंह कुमार यादव पटेल मिश्रा तिवारी चौधरी जोशी पांडे श्रीवास्तव vikas
    deepak rohit manoj ajay sanjeev rekha seema jyoti anita geeta meena sharma gupta singh kumar yadav patel mishra
    สมชาย สมหญิง ประเสริฐ วิชัย มาลี อนงค์ ธนา กิตติ ปราณี นภา สมศักดิ์ สมพร สุชาติ สุรชัย ประยุทธ์ อรุณ พรทิพย์
    สุดา วันดี กัญญา นิภา อนันต์ ณัฐ ชัยวัฒน์ somchai somsak prasert wichai malee suchart surachai γιώργος μαρία
    δημήτρης ελένη κώστας κατερίνα νίκος σοφία βασιλική γιάννης γεώργιος δημήτριος κωνσταντίνος ιωάννης νικόλαος
    παναγιώτης βασίλης χρήστος αθανάσιος μιχάλης αντώνης σπύρος άννα αγγελική ευαγγελία αικατερίνη ειρήνη budi siti
    agus dewi eko rina bambang putri joko sri dian yulia rudi hendra wahyu slamet sutrisno nur endang indah ratna
    wati yanto andi rizki fitri lestari kartika олександр оксана андрій наталія сергій ірина тарас людмила юрій
    ганна володимир микола василь дмитро іван петро михайло богдан роман тетяна світлана олена катерина марія надія
    любов lars astrid göran maja elsa gunnar saga åke erik karin margareta eva ulla lennart bengt bo sofia ebba alva
    wilma sigrid linnéa gustav axel viktor oskar elin frida magnus fredrik henrik rasmus mathias morten trine
    camilla pernille ingeborg sindre eirik håkon øyvind pavel jana hana lenka lucie veronika václav zdeněk josef
    miroslav františek jiří tomáš ondřej vojtěch eliška andrei alexandru ionut gheorghe vasile elena ioana mihaela
"""
"""As they are written; to be folded."""

FAMILY: Final = """
    nagy kovács tóth szabó horváth varga kiss molnár németh farkas balogh papp takács juhász lakatos mészáros oláh
    rácz fekete szilágyi korhonen virtanen mäkinen nieminen mäkelä hämäläinen laine heikkinen koskinen järvinen
    lehtonen saarinen salminen lehtinen heinonen niemi kinnunen nguyễn trần lê phạm phan vũ đặng bùi đỗ dương शर्मा
    वर्मा गुप्ता सिंह यादव पटेल मिश्रा तिवारी चौधरी जोशी पांडे श्रीवास्तव शुक्ला दुबे अग्रवाल जैन खान ใจดี สุขสันต์
    ทองดี แก้วมณี ศรีสุข บุญมี รักไทย วงศ์สวัสดิ์ พรหมมา แซ่ตั้ง แซ่ลิ้ม สายทอง บุญเรือง ทองคำ แสงทอง สุวรรณ
    ศรีสวัสดิ์ wijaya santoso hidayat saputra kusuma nugroho setiawan wibowo siregar nasution rahayu susanto gunawan
    kurniawan pratama шевченко коваленко бондаренко ткаченко кравченко олійник шевчук поліщук мельник гриценко бойко
    ковальчук лисенко марченко савченко руденко петренко andersson johansson karlsson nilsson eriksson larsson
    olsson persson svensson gustafsson lindqvist bergström pettersson jonsson jansson hansson bengtsson lindberg
    lindström hansen johansen olsen larsen andersen pedersen nielsen jensen kristensen rasmussen sørensen
    christensen allen adams nelson carter mitchell parker turner phillips campbell edwards collins cooper smith
    johnson williams jones brown taylor davies wilson evans walker wright robinson thompson harris
    clark lewis anderson martinez garcia müller schmidt schneider fischer meyer schulz becker hoffmann bauer richter
    wolf schröder neumann schwarz zimmermann braun krüger hofmann dubois durand leroy moreau lefebvre fournier
    girard bonnet lambert rousseau garcía fernández lópez martínez sánchez pérez gómez rodríguez gonzález hernández
    jiménez ruiz rossi russo ferrari esposito bianchi romano colombo ricci marino silva santos oliveira souza
    pereira ferreira rodrigues almeida jansen bakker visser smit meijer nowak kowalski wiśniewski wójcik kowalczyk
    kamiński lewandowski yılmaz kaya demir şahin çelik yıldız öztürk novák svoboda novotný dvořák černý procházka
    popescu ionescu popa dumitru messi ronaldo modrić mbappé
    γεωργίου δημητρίου νικολάου οικονόμου αντωνίου βασιλείου ιωάννου αθανασίου κωνσταντίνου παπαδάκης παπαδόπουλος
    καραγιάννης παππάς βλάχος иванов смирнов кузнецов попов васильев петров соколов михайлов новиков федоров морозов
    волков алексеев лебедев семенов егоров павлов козлов степанов николаев иванова смирнова кузнецова попова васильева
    петрова соколова михайлова новикова федорова морозова волкова алексеева лебедева семенова егорова павлова козлова
"""
"""Frequent family names of languages with alphabets, as they are written; to be folded."""

CHINESE_FAMILY: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "張劉陳楊黃趙吳孫馬羅鄭許韓馮鄧蕭蔣葉蘇呂盧鐘譚陸賈韋鄒"
)
KOREAN_FAMILY: Final = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현"
)
JAPANESE_FAMILY: Final = (
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "佐々木",
    "山口", "松本", "井上", "木村", "斎藤", "清水", "山崎", "池田", "橋本", "阿部", "石川", "山下", "中島",
    "小川", "前田", "岡田", "長谷川", "藤田", "後藤", "近藤", "村上", "遠藤", "青木", "坂本", "斉藤", "福田",
    "太田", "西村", "藤井", "岡本", "三浦", "藤原", "中野", "原田", "松田", "竹内", "上田", "金子", "和田",
    "中山", "石井", "小野", "大野", "高木", "安藤", "丸山", "今井", "河野", "藤本", "村田", "武田", "上野",
    "杉山", "増田", "平野", "菅原", "小島", "久保", "千葉", "岩崎", "桜井", "木下", "野口", "松尾", "野村",
    "菊地", "渡邊", "齋藤", "大塚", "新井", "渡部", "山中", "大谷", "本田", "香川", "内田", "酒井", "谷口",
    "工藤", "横山", "宮崎",
)  # fmt: skip
