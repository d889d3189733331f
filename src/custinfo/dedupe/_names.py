"""Names of persons: diminutives, Chinese family names and their spellings."""

from __future__ import annotations

import functools

from custinfo.dedupe._text import word_set

__all__ = ["CANTONESE", "COMPOUND_FAMILY", "TITLES", "diminutives"]

# Common diminutives of given names, general knowledge; each group: the full names, then what they are called.
_DIMINUTIVES = """
abigail: abby gail | abraham: abe bram | adelaide: addie | agnes: aggie nessie | albert alberto: al bert bertie |
alexander alexandra alexandre alejandro: alex sandy sasha xander lex alec alexa sandra | alfred: al alf alfie fred |
alice: allie ali | alison allison: ali allie | amanda: mandy | amelia: amy millie mia | andrew andreas andre: andy
drew | angela angelina: angie | ann anna anne: annie nan nancy | anthony antonio: tony toni anton ant | antonia:
toni | archibald: archie | arthur: art artie | augustus: gus august | barbara: barb barbie babs bobbie | barnaby:
barney | beatrice: bea trixie | benedict: ben | benjamin: ben benny benji | bernard: bernie | bradley: brad |
bridget: biddy | caroline carolyn: carrie carol caro lyn | catherine katherine kathryn kathleen katharina: cathy
kathy kate katie kat kitty kay katja kati cath | charles karl carlos: charlie chuck chas carl | charlotte: lottie
charlie lotte char | christine christina christiane: chris christy tina kirsty chrissy | christopher christian:
chris kit topher | clifford: cliff | concepcion: concha | constance: connie | cynthia: cindy | daniel: dan danny |
danielle: dani | david: dave davy | deborah debra: deb debbie | dennis: denny | diana: di | dolores: lola | dominic:
dom nick | donald: don donnie | dorothy dorothea: dot dottie dolly dora | douglas: doug | edmund: ed eddie ted ned |
edward eduardo eduard: ed eddie ted teddy ned | eleanor: ellie nell nora lena | elizabeth elisabeth: liz lizzie beth
betty eliza lisa bess betsy libby ella elsie lise | emily: em emmy millie | emma: em emmy | ernest: ernie | esther:
essie | eugene: gene | evelyn: eve evie | florence: flo florrie | frances francesca: fran frannie fanny | francis
francisco franz: frank fran paco pancho | franklin: frank | frederick friedrich frederic: fred freddie fritz rick |
gabriel gabriela: gabe gabi gaby | geoffrey: geoff jeff | george georg: georgie | gerald gerard: gerry jerry |
gerhard: gerd | gertrude: gertie trudy | gilbert: gil | giovanni: gianni | gregory: greg | guadalupe: lupe |
gwendolyn: gwen | hannah: hanna | harold: harry hal | harriet: hattie | heinrich: heinz heiner | helen helena: nell
lena | henry: harry hank hal | herbert: bert herb | howard: howie | ignacio: nacho | irene: rene | isabel isabella:
izzy bella belle | isaac: ike | ivan: vanya | jacob: jake jack coby | jacqueline: jackie | james jaime: jim jimmy
jamie jem | jane janet: jan jenny janie | jasmine: jaz | jason: jay | jean: jeannie | jeffrey: jeff | jennifer: jen
jenny jenn | jeremy: jerry jez | jerome: jerry | jessica: jess jessie | jesus: chuy | joan joanna joanne: jo joanie
| johann johannes: hans hannes jo | john: jack johnny jon | jonathan: jon jonny nathan | jose: pepe | joseph josef
josephus: joe joey jo sepp | josephine: jo josie | joshua: josh | joyce: joy | judith: judy | julia julie: jules |
julian: jules | justin: jus | karen: kari | kenneth: ken kenny | kevin: kev | kimberly: kim | lawrence laurence:
larry laurie | leonard: len lenny leo | leopold: leo | leslie: les | lewis louis luis: lou louie | lillian: lily lil
| linda: lindy | louise: lou | lucy lucille: lu lucie | ludwig: lutz | luisa louisa: lou | madeline madeleine:
maddie | magdalena: lena magda | manuel: manny manolo | marcus: marc mark | margaret margarete margarita: maggie meg
peggy marge greta gretchen daisy rita madge | maria: mia mimi mary | marjorie: marge | martha: marty | martin: marty
| mary: molly polly mamie may | matilda: tilly | matthew matthias: matt mat matze | maureen: mo | maximilian
maxwell: max | melissa: mel missy lissa | melanie: mel | michael michel miguel: mike mick mickey micky michi |
michelle: shelly shell mich | mildred: millie | miriam: mimi | mitchell: mitch | montgomery: monty | nancy: nan |
natalie natalia: nat tasha | nathan nathaniel: nat nate | nicholas nicolas nikolaus: nick nicky nico klaus colin |
nicole: nicky nikki | norman: norm | oliver: ollie | olivia: liv livvy ollie | oswald: oz ozzy | pamela: pam |
patricia: pat patty trish tricia | patrick: pat paddy rick | paul: paulie | paula: polly | penelope: penny |
percival: percy | peter: pete | philip phillip: phil pip | phyllis: phyl | priscilla: cilla | rachel: rach shelly |
raymond: ray | rebecca: becky becca | reginald: reg reggie | ricardo richard: rich rick dick ricky ritchie | robert
roberto: bob rob bobby robbie bert | roberta: bobbie | roderick: rod | rodney: rod | roger: rodge | roland: rollie |
ronald: ron ronnie | rosemary: rose rosie | roxanne: roxy | rudolph rudolf: rudy rolf | russell: russ | samantha:
sam sammy | samuel: sam sammy | sandra: sandy | sarah: sally sadie sara | sebastian: basti seb bas | sharon: shari |
shirley: shirl | sidney: sid | simon: si | sophia sofia sophie: sophie fia | stanley: stan | stephanie: steph steffi
stephie | stephen steven stefan: steve stevie stef | stewart stuart: stu | susan susanna susanne: sue suzie susie
sanna | sylvia: syl | tabitha: tabby | teresa theresa: terry tess tessa resi | terence: terry | theodore: ted theo
teddy | thomas: tom tommy | timothy: tim timmy | tobias: toby tobi | tracy: trace | ulrich: uli | ursula: uschi |
valentina valerie: val | vanessa: nessa | veronica: ronnie vera | victor: vic | victoria: vicky tori vic | vincent:
vince vinnie | virginia: ginny ginger | vivian: viv | walter: walt wally | wendy: wen | wilhelm: willi willy |
wilhelmina: minnie mina | william: bill will billy willie liam | winifred: winnie | wolfgang: wolf wolfi | yvonne:
eve vonnie | zachary: zach zack
"""

# Hong Kong government romanisation of common family names against pinyin; several characters share one spelling.
_ROMANISED = """
au=ou/qu auyeung=ouyang chan=chen cheng=zheng cheung=zhang/jiang chiu=zhao/zhao chow=zhou choi=cai chu=zhu
chung=zhong fan=fan fok=huo fong=fang/kuang fung=feng ha=xia ho=he hon=han hui=xu hung=hong/xiong ip=ye kam=jin/gan
ko=gao kong=jiang ku=gu kuo=guo kwan=guan kwok=guo kwong=kuang lai=li lam=lin lau=liu law=luo lee=li leung=liang
lo=lu/luo lok=luo lui=lv/lei luk=lu lung=long ma=ma mak=mai mok=mo mui=mei ng=wu/wu ngai=wei poon=pan pang=peng
sin=xian shek=shi siu=xiao/shao so=su suen=sun sun=sun szeto=situ sze=shi/si tai=dai tam=tan tang=deng/teng tin=tian
ting=ding to=du/tu tong=tang tsang=zeng tse=xie tsoi=cai tso=cao tsui=xu tung=dong wai=wei wan=wen/yun
wong=huang/wang woo=hu wu=hu yau=qiu/you yeung=yang yim=yan yip=ye yiu=yao yu=yu yuen=yuan/ruan yung=weng/rong
"""
CANTONESE = {
    spelling: tuple(dict.fromkeys(pinyin.split("/")))
    for spelling, _, pinyin in (pair.partition("=") for pair in _ROMANISED.split())
}

# Two-character Chinese family names; every other Chinese family name is taken as one character.
COMPOUND_FAMILY = word_set(
    """
    欧阳 歐陽 司马 司馬 诸葛 諸葛 上官 司徒 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 长孙 長孫 宇文 夏侯 轩辕 軒轅
    端木 独孤 獨孤 南宫 南宮
    """
)

TITLES = word_set(
    """
    mr mrs ms miss mx dr prof sir dame herr frau dipl ing phd md jr sr ii iii iv esq monsieur madame mme mlle
    sr. sra señor senor senora 先生 女士 小姐 太太
    """
)


@functools.cache
def diminutives() -> dict[str, frozenset[int]]:
    """Name -> the groups it belongs to; two names that share a group can be one person's.

    >>> bool(diminutives()["bob"] & diminutives()["robert"])
    True
    """
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(_DIMINUTIVES.split("|")):
        for name in group.replace(":", " ").split():
            groups.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in groups.items()}
