"""Frequent given names and family names, to tell a column of people from one of things; facts, in no order."""

from __future__ import annotations

from typing import Final

__all__ = ["CHINESE_FAMILY", "GIVEN", "JAPANESE_FAMILY", "KOREAN_FAMILY"]

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
"""
"""As they are written; to be folded."""

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
