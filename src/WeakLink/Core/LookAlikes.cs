using System.Text;

namespace WeakLink;

/// <summary>
/// Names that people take for one: they differ in capitals, in letters that are written as one character or as a letter and its accent (macOS writes names so), in letters of
/// another alphabet that look the same, in spaces, hyphens and underscores, or in characters that are not seen at all.
/// </summary>
internal static class LookAlikes
{
    // Letters with a mark, each behind the letter that it is made of, as Unicode decomposes them (Latin, Greek, Cyrillic, Japanese). .NET does not where it runs
    // without ICU.
    private static readonly (char Mark, string Letters)[] Marked =
    [
        ('\u0300', "AÀEÈIÌOÒUÙaàeèiìoòuùÜǛüǜNǸnǹЕЀИЍеѐиѝĒḔēḕŌṐōṑWẀwẁÂẦâầĂẰăằÊỀêềÔỒôồƠỜơờƯỪưừYỲyỳἀἂἁἃἈἊἉἋἐἒἑἓἘἚἙἛἠἢἡἣἨἪἩἫἰἲἱἳἸἺἹἻὀὂὁὃὈὊὉὋὐὒὑὓ"),
        ('\u0300', "ὙὛὠὢὡὣὨὪὩὫαὰεὲηὴιὶοὸυὺωὼΑᾺΕῈΗῊ᾿῍ϊῒΙῚ῾῝ϋῢΥῪ¨῭ΟῸΩῺ"),
        ('\u0301', "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźÜǗüǘGǴgǵÅǺåǻÆǼæǽØǾøǿ¨΅ΑΆΕΈΗΉΙΊΟΌΥΎΩΏϊΐαάεέηήιίϋΰοόυύωώϒϓГЃКЌгѓкќÇḈçḉĒḖēḗ"),
        ('\u0301', "ÏḮïḯKḰkḱMḾmḿÕṌõṍŌṒōṓPṔpṕŨṸũṹWẂwẃÂẤâấĂẮăắÊẾêếÔỐôốƠỚơớƯỨưứἀἄἁἅἈἌἉἍἐἔἑἕἘἜἙἝἠἤἡἥἨἬἩἭἰἴἱἵἸἼἹἽὀὄὁὅὈὌὉὍὐὔὑὕὙὝὠὤὡὥὨὬὩὭ᾿῎῾῞"),
        ('\u0302', "AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑẠẬạậẸỆẹệỌỘọộ"),
        ('\u0303', "AÃNÑOÕaãnñoõIĨiĩUŨuũVṼvṽÂẪâẫĂẴăẵEẼeẽÊỄêễÔỖôỗƠỠơỡƯỮưữYỸyỹ"),
        ('\u0304', "AĀaāEĒeēIĪiīOŌoōUŪuūÜǕüǖÄǞäǟȦǠȧǡÆǢæǣǪǬǫǭÖȪöȫÕȬõȭȮȰȯȱYȲyȳИӢиӣУӮуӯGḠgḡḶḸḷḹṚṜṛṝαᾱΑᾹιῑΙῙυῡΥῩ"),
        ('\u0306', "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭУЎИЙийуўЖӁжӂАӐаӑЕӖеӗȨḜȩḝẠẶạặαᾰΑᾸιῐΙῘυῠΥῨ"),
        ('\u0307', "CĊcċEĖeėGĠgġIİZŻzżAȦaȧOȮoȯBḂbḃDḊdḋFḞfḟHḢhḣMṀmṁNṄnṅPṖpṗRṘrṙSṠsṡŚṤśṥŠṦšṧṢṨṣṩTṪtṫWẆwẇXẊxẋYẎyẏſẛ"),
        ('\u0308', "AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋϒϔЕЁІЇеёіїАӒаӓӘӚәӛЖӜжӝЗӞзӟИӤиӥОӦоӧӨӪөӫЭӬэӭУӰуӱЧӴчӵЫӸыӹHḦhḧÕṎõṏŪṺūṻWẄwẅXẌxẍtẗ"),
        ('\u0309', "AẢaảÂẨâẩĂẲăẳEẺeẻÊỂêểIỈiỉOỎoỏÔỔôổƠỞơởUỦuủƯỬưửYỶyỷ"),
        ('\u030a', "AÅaåUŮuůwẘyẙ"),
        ('\u030b', "OŐoőUŰuűУӲуӳ"),
        ('\u030c', "CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔÜǙüǚGǦgǧKǨkǩƷǮʒǯjǰHȞhȟ"),
        ('\u030f', "AȀaȁEȄeȅIȈiȉOȌoȍRȐrȑUȔuȕѴѶѵѷ"),
        ('\u0311', "AȂaȃEȆeȇIȊiȋOȎoȏRȒrȓUȖuȗ"),
        ('\u0313', "αἀΑἈεἐΕἘηἠΗἨιἰΙἸοὀΟὈυὐωὠΩὨρῤ"),
        ('\u0314', "αἁΑἉεἑΕἙηἡΗἩιἱΙἹοὁΟὉυὑΥὙωὡΩὩρῥΡῬ"),
        ('\u031b', "OƠoơUƯuư"),
        ('\u0323', "BḄbḅDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓAẠaạEẸeẹIỊiịOỌoọƠỢơợUỤuụƯỰưựYỴyỵ"),
        ('\u0324', "UṲuṳ"),
        ('\u0325', "AḀaḁ"),
        ('\u0326', "SȘsșTȚtț"),
        ('\u0327', "CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ"),
        ('\u0328', "AĄaąEĘeęIĮiįUŲuųOǪoǫ"),
        ('\u032d', "DḒdḓEḘeḙLḼlḽNṊnṋTṰtṱUṶuṷ"),
        ('\u032e', "HḪhḫ"),
        ('\u0330', "EḚeḛIḬiḭUṴuṵ"),
        ('\u0331', "BḆbḇDḎdḏKḴkḵLḺlḻNṈnṉRṞrṟTṮtṯZẔzẕhẖ"),
        ('\u0338', "←↚→↛↔↮⇐⇍⇔⇎⇒⇏∃∄∈∉∋∌∣∤∥∦∼≁≃≄≅≇≈≉=≠≡≢≍≭<≮>≯≤≰≥≱≲≴≳≵≶≸≷≹≺⊀≻⊁⊂⊄⊃⊅⊆⊈⊇⊉⊢⊬⊨⊭⊩⊮⊫⊯≼⋠≽⋡⊑⋢⊒⋣⊲⋪⊳⋫⊴⋬⊵⋭"),
        ('\u0342', "ἀἆἁἇἈἎἉἏἠἦἡἧἨἮἩἯἰἶἱἷἸἾἹἿὐὖὑὗὙὟὠὦὡὧὨὮὩὯαᾶ¨῁ηῆ᾿῏ιῖϊῗ῾῟υῦϋῧωῶ"),
        ('\u0345', "ἀᾀἁᾁἂᾂἃᾃἄᾄἅᾅἆᾆἇᾇἈᾈἉᾉἊᾊἋᾋἌᾌἍᾍἎᾎἏᾏἠᾐἡᾑἢᾒἣᾓἤᾔἥᾕἦᾖἧᾗἨᾘἩᾙἪᾚἫᾛἬᾜἭᾝἮᾞἯᾟὠᾠὡᾡὢᾢὣᾣὤᾤὥᾥὦᾦὧᾧὨᾨὩᾩὪᾪὫᾫὬᾬὭᾭὮᾮὯᾯὰᾲαᾳάᾴᾶᾷΑᾼὴῂηῃήῄῆῇΗῌὼῲωῳ"),
        ('\u0345', "ώῴῶῷΩῼ"),
        ('\u3099', "かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ"),
        ('\u309a', "はぱひぴふぷへぺほぽハパヒピフプヘペホポ"),
    ];

    // Of Cyrillic and Greek, each before the Latin letter that it looks like, be it as a capital alone.
    private const string OtherAlphabets = "аaвbеeкkмmнhоoрpсcтtуyхxіiјjѕsһhԁdԛqԝwαaβbεeζzηhιiκkμmνnοoρpτtυyχx";

    private const int Vowels = 21, Finals = 28;
    private const char FirstSyllable = '\uac00', LastSyllable = '\ud7a3', FirstWide = '\uff01', LastWide = '\uff5e', Ascii = '!';

    private static readonly Dictionary<char, string> Decomposed = Marked
        .SelectMany(marked => marked.Letters.Chunk(2).Select(pair => (Letter: pair[1], Parts: $"{pair[0]}{marked.Mark}"))).ToDictionary(one => one.Letter, one => one.Parts);

    private static readonly Dictionary<char, char> Latin = OtherAlphabets.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>Names that look like others of a list, in pairs.</summary>
    public static IEnumerable<(string One, string Other)> In(IEnumerable<string> names) =>
        names.GroupBy(Seen).Where(alike => alike.Count() > 1).SelectMany(alike => alike.Skip(1).Select(other => (alike.First(), other)));

    /// <summary>What to add to a sentence about a name that is not in a list: which one of it looks like this; mostly nothing.</summary>
    public static string Hint(string stranger, IEnumerable<string> names)
    {
        var seen = Seen(stranger);
        return names.FirstOrDefault(name => Seen(name) == seen) is { } alike ? $"; '{stranger}' and '{alike}' {Difference(stranger, alike)}" : "";
    }

    /// <summary>In what two names differ that look alike, as a part of a sentence.</summary>
    public static string Difference(string one, string other)
    {
        if (string.Equals(one, other, StringComparison.OrdinalIgnoreCase))
        {
            return "differ in capitals alone";
        }

        var place = one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"look alike, but differ in character {place + 1} ({At(one)} and {At(other)})";

        string At(string name) => place < name.Length ? $"U+{(int)name[place]:X4}" : "nothing";
    }

    /// <summary>What is seen of a name: equal for names that look alike.</summary>
    private static string Seen(string name)
    {
        var seen = new StringBuilder();
        foreach (var letter in name)
        {
            Append(letter);
        }

        return seen.ToString().Trim();

        void Append(char letter)
        {
            if (Decomposed.TryGetValue(letter, out var parts))
            {
                Append(parts[0]);
                seen.Append(parts[1]);
            }
            else if (letter is >= FirstSyllable and <= LastSyllable)
            {
                var place = letter - FirstSyllable;
                seen.Append((char)(0x1100 + (place / (Vowels * Finals)))).Append((char)(0x1161 + (place / Finals % Vowels)));
                if (place % Finals > 0)
                {
                    seen.Append((char)(0x11a7 + (place % Finals)));
                }
            }
            else if (char.IsWhiteSpace(letter) || letter is '_' or '-' or (>= '\u2010' and <= '\u2015'))
            {
                seen.Append(' ');
            }
            else if (char.GetUnicodeCategory(letter) is not (System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.Control))
            {
                var plain = letter is >= FirstWide and <= LastWide ? (char)(letter - FirstWide + Ascii) : letter;
                plain = char.ToLowerInvariant(plain);
                seen.Append(Latin.GetValueOrDefault(plain, plain));
            }
        }
    }
}
