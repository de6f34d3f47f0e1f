/// Countries by the names that people and shops write (ISO 3166-1).
enum CountryTable {
    /// The two-letter code in lower case of a code or name; nil when it is none.
    static func code(_ text: String) -> String? {
        let key = key(text)
        // Exceptionally reserved for the United Kingdom, and used by it.
        if key == "uk" { return "gb" }
        return key.utf8.count == 2 ? (codes.contains(key) ? key : nil) : names[key]
    }

    /// Letters without marks: `Côte d'Ivoire` and `COTE DIVOIRE` are one name, and so are `The
    /// Bahamas` and `Bahamas`, `St Lucia` and `Saint Lucia`, `&` and `and`.
    private static func key(_ text: String) -> String {
        let folded = TextForms.withoutMarks(TextForms.folded(text))
        let letters = TextForms.letters(folded.replacing("&", with: "and"))
        for (front, shorter) in [("the", ""), ("saint", "st")] where letters.hasPrefix(front) {
            return shorter + letters.dropFirst(front.count)
        }
        return letters
    }

    private static let rows = table.split(separator: "\n").map { $0.split(separator: " ") }

    private static let codes = Set(rows.map { String($0[0]) })

    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for row in rows {
            for name in row.dropFirst() { names[key(String(name))] = String(row[0]) }
        }
        return names
    }()

    /// Code, three-letter code, then names without spaces: in English, the country's own, and others in use.
    private static let table = """
        ad AND Andorra PrincipatdAndorra
        ae ARE UnitedArabEmirates UAE Emirates الإمارات
        af AFG Afghanistan
        ag ATG AntiguaandBarbuda Antigua
        ai AIA Anguilla
        al ALB Albania Shqipëria Shqipëri
        am ARM Armenia Հայաստան Hayastan
        ao AGO Angola
        aq ATA Antarctica
        ar ARG Argentina ArgentineRepublic
        as ASM AmericanSamoa
        at AUT Austria Österreich Oesterreich Autriche
        au AUS Australia CommonwealthofAustralia
        aw ABW Aruba
        ax ALA ÅlandIslands Åland
        az AZE Azerbaijan Azərbaycan
        ba BIH BosniaandHerzegovina Bosnia BosnaiHercegovina
        bb BRB Barbados
        bd BGD Bangladesh বাংলাদেশ
        be BEL Belgium België Belgique Belgien
        bf BFA BurkinaFaso
        bg BGR Bulgaria България Bulgarien
        bh BHR Bahrain البحرين
        bi BDI Burundi
        bj BEN Benin Bénin
        bl BLM SaintBarthélemy
        bm BMU Bermuda
        bn BRN Brunei BruneiDarussalam
        bo BOL Bolivia PlurinationalStateofBolivia Bolivia(PlurinationalStateof)
        bq BES BonaireSintEustatiusandSaba CaribbeanNetherlands Bonaire
        br BRA Brazil Brasil Brasilien
        bs BHS Bahamas
        bt BTN Bhutan
        bv BVT BouvetIsland
        bw BWA Botswana
        by BLR Belarus Беларусь Белоруссия
        bz BLZ Belize
        ca CAN Canada Kanada
        cc CCK Cocos(Keeling)Islands CocosIslands KeelingIslands
        cd COD DemocraticRepublicoftheCongo DRCongo DRC CongoKinshasa CongoTheDemocraticRepublicofthe
        cf CAF CentralAfricanRepublic RépubliqueCentrafricaine
        cg COG Congo RepublicoftheCongo CongoBrazzaville
        ch CHE Switzerland Schweiz Suisse Svizzera Svizra SwissConfederation
        ci CIV CôtedIvoire IvoryCoast
        ck COK CookIslands
        cl CHL Chile
        cm CMR Cameroon Cameroun
        cn CHN China 中国 PeoplesRepublicofChina PRC Chine
        co COL Colombia
        cr CRI CostaRica
        cu CUB Cuba
        cv CPV CaboVerde CapeVerde
        cw CUW Curaçao
        cx CXR ChristmasIsland
        cy CYP Cyprus Κύπρος Kıbrıs Zypern
        cz CZE Czechia CzechRepublic Česko Českárepublika Tschechien
        de DEU Germany Deutschland FederalRepublicofGermany Allemagne Alemania Germania Duitsland BRD
        dj DJI Djibouti
        dk DNK Denmark Danmark Dänemark
        dm DMA Dominica
        do DOM DominicanRepublic RepúblicaDominicana
        dz DZA Algeria Algérie الجزائر
        ec ECU Ecuador
        ee EST Estonia Eesti Estland
        eg EGY Egypt مصر Ägypten
        eh ESH WesternSahara
        er ERI Eritrea
        es ESP Spain España Spanien Espagne KingdomofSpain
        et ETH Ethiopia
        fi FIN Finland Suomi Finnland
        fj FJI Fiji
        fk FLK FalklandIslands FalklandIslands(Malvinas) IslasMalvinas
        fm FSM Micronesia FederatedStatesofMicronesia Micronesia(FederatedStatesof)
        fo FRO FaroeIslands Føroyar
        fr FRA France Frankreich Francia FrenchRepublic RépubliqueFrançaise
        ga GAB Gabon
        gb GBR UnitedKingdom GreatBritain Britain England Scotland Wales NorthernIreland \
        UnitedKingdomofGreatBritainandNorthernIreland \
        VereinigtesKönigreich Großbritannien RoyaumeUni ReinoUnido RegnoUnito
        gd GRD Grenada
        ge GEO Georgia საქართველო Sakartvelo
        gf GUF FrenchGuiana GuyaneFrançaise
        gg GGY Guernsey
        gh GHA Ghana
        gi GIB Gibraltar
        gl GRL Greenland Grønland KalaallitNunaat
        gm GMB Gambia
        gn GIN Guinea Guinée
        gp GLP Guadeloupe
        gq GNQ EquatorialGuinea GuineaEcuatorial
        gr GRC Greece Ελλάδα Ελλάς Hellas Griechenland
        gs SGS SouthGeorgiaandtheSouthSandwichIslands
        gt GTM Guatemala
        gu GUM Guam
        gw GNB GuineaBissau
        gy GUY Guyana
        hk HKG HongKong 香港 HongKongSARChina HongKongSAR
        hm HMD HeardIslandandMcDonaldIslands
        hn HND Honduras
        hr HRV Croatia Hrvatska Kroatien
        ht HTI Haiti Haïti
        hu HUN Hungary Magyarország Ungarn
        id IDN Indonesia
        ie IRL Ireland Éire RepublicofIreland Irland
        il ISR Israel ישראל
        im IMN IsleofMan
        in IND India भारत Bharat
        io IOT BritishIndianOceanTerritory
        iq IRQ Iraq العراق
        ir IRN Iran IslamicRepublicofIran Iran(IslamicRepublicof) ایران
        is ISL Iceland Ísland Island
        it ITA Italy Italia Italien Italie
        je JEY Jersey
        jm JAM Jamaica
        jo JOR Jordan الأردن
        jp JPN Japan 日本 Nippon Nihon Japon
        ke KEN Kenya
        kg KGZ Kyrgyzstan Кыргызстан KyrgyzRepublic
        kh KHM Cambodia Kampuchea
        ki KIR Kiribati
        km COM Comoros Comores
        kn KNA SaintKittsandNevis
        kp PRK NorthKorea DemocraticPeoplesRepublicofKorea Korea(DemocraticPeoplesRepublicof)
        kr KOR SouthKorea Korea RepublicofKorea KoreaRepublicof Korea(Republicof) 대한민국 한국
        kw KWT Kuwait الكويت
        ky CYM CaymanIslands
        kz KAZ Kazakhstan Қазақстан Казахстан
        la LAO Laos LaoPeoplesDemocraticRepublic LaoPDR
        lb LBN Lebanon Liban لبنان
        lc LCA SaintLucia
        li LIE Liechtenstein
        lk LKA SriLanka
        lr LBR Liberia
        ls LSO Lesotho
        lt LTU Lithuania Lietuva Litauen
        lu LUX Luxembourg Luxemburg Lëtzebuerg
        lv LVA Latvia Latvija Lettland
        ly LBY Libya ليبيا
        ma MAR Morocco Maroc المغرب Marokko
        mc MCO Monaco
        md MDA Moldova RepublicofMoldova MoldovaRepublicof Moldova(Republicof)
        me MNE Montenegro CrnaGora
        mf MAF SaintMartin SaintMartin(Frenchpart)
        mg MDG Madagascar
        mh MHL MarshallIslands
        mk MKD NorthMacedonia Macedonia СевернаМакедонија
        ml MLI Mali
        mm MMR Myanmar Burma
        mn MNG Mongolia Монгол
        mo MAC Macao Macau 澳門 MacaoSARChina
        mp MNP NorthernMarianaIslands
        mq MTQ Martinique
        mr MRT Mauritania Mauritanie
        ms MSR Montserrat
        mt MLT Malta
        mu MUS Mauritius Maurice
        mv MDV Maldives
        mw MWI Malawi
        mx MEX Mexico México
        my MYS Malaysia
        mz MOZ Mozambique Moçambique
        na NAM Namibia
        nc NCL NewCaledonia NouvelleCalédonie
        ne NER Niger
        nf NFK NorfolkIsland
        ng NGA Nigeria
        ni NIC Nicaragua
        nl NLD Netherlands Nederland Holland Niederlande PaysBas KingdomoftheNetherlands
        no NOR Norway Norge Noreg Norwegen
        np NPL Nepal
        nr NRU Nauru
        nu NIU Niue
        nz NZL NewZealand Aotearoa
        om OMN Oman عمان
        pa PAN Panama Panamá
        pe PER Peru Perú
        pf PYF FrenchPolynesia PolynésieFrançaise
        pg PNG PapuaNewGuinea
        ph PHL Philippines Pilipinas
        pk PAK Pakistan پاکستان
        pl POL Poland Polska Polen
        pm SPM SaintPierreandMiquelon SaintPierre
        pn PCN Pitcairn PitcairnIslands
        pr PRI PuertoRico
        ps PSE Palestine StateofPalestine PalestineStateof PalestinianTerritory فلسطين
        pt PRT Portugal
        pw PLW Palau
        py PRY Paraguay
        qa QAT Qatar قطر
        re REU Réunion LaRéunion
        ro ROU Romania România Rumänien
        rs SRB Serbia Србија Srbija Serbien
        ru RUS Russia RussianFederation Россия РоссийскаяФедерация Russland
        rw RWA Rwanda
        sa SAU SaudiArabia السعودية KSA KingdomofSaudiArabia
        sb SLB SolomonIslands
        sc SYC Seychelles
        sd SDN Sudan السودان
        se SWE Sweden Sverige Schweden Suède
        sg SGP Singapore Singapura 新加坡
        sh SHN SaintHelenaAscensionandTristandaCunha SaintHelena
        si SVN Slovenia Slovenija Slowenien
        sj SJM SvalbardandJanMayen Svalbard
        sk SVK Slovakia Slovensko SlovakRepublic Slowakei
        sl SLE SierraLeone
        sm SMR SanMarino
        sn SEN Senegal Sénégal
        so SOM Somalia Soomaaliya
        sr SUR Suriname
        ss SSD SouthSudan
        st STP SaoTomeandPrincipe SãoToméePríncipe
        sv SLV ElSalvador
        sx SXM SintMaarten SintMaarten(Dutchpart)
        sy SYR Syria SyrianArabRepublic سوريا
        sz SWZ Eswatini Swaziland
        tc TCA TurksandCaicosIslands
        td TCD Chad Tchad
        tf ATF FrenchSouthernTerritories
        tg TGO Togo
        th THA Thailand ประเทศไทย ไทย
        tj TJK Tajikistan Тоҷикистон
        tk TKL Tokelau
        tl TLS TimorLeste EastTimor
        tm TKM Turkmenistan Türkmenistan
        tn TUN Tunisia Tunisie تونس
        to TON Tonga
        tr TUR Turkey Türkiye Turkiye Türkei
        tt TTO TrinidadandTobago Trinidad
        tv TUV Tuvalu
        tw TWN Taiwan 台灣 臺灣 TaiwanProvinceofChina
        tz TZA Tanzania UnitedRepublicofTanzania TanzaniaUnitedRepublicof Tanzania(UnitedRepublicof)
        ua UKR Ukraine Україна
        ug UGA Uganda
        um UMI UnitedStatesMinorOutlyingIslands
        us USA UnitedStates UnitedStatesofAmerica America \
        VereinigteStaaten VereinigteStaatenvonAmerika ÉtatsUnis EstadosUnidos StatiUniti
        uy URY Uruguay
        uz UZB Uzbekistan Oʻzbekiston Oʻzbekistan
        va VAT VaticanCity HolySee Vatican VaticanCityState HolySee(VaticanCityState)
        vc VCT SaintVincentandtheGrenadines StVincent
        ve VEN Venezuela BolivarianRepublicofVenezuela Venezuela(BolivarianRepublicof)
        vg VGB BritishVirginIslands VirginIslands(British) VirginIslandsBritish
        vi VIR USVirginIslands VirginIslands(US) VirginIslandsUS UnitedStatesVirginIslands
        vn VNM Vietnam
        vu VUT Vanuatu
        wf WLF WallisandFutuna
        ws WSM Samoa WesternSamoa
        ye YEM Yemen اليمن
        yt MYT Mayotte
        za ZAF SouthAfrica SuidAfrika RepublicofSouthAfrica
        zm ZMB Zambia
        zw ZWE Zimbabwe
        """
}

/// States of the United States and provinces of Canada by name.
enum StateTable {
    /// The two letters of a state or province that is written out, as one word of lower-case letters
    /// without marks; nil when it is none.
    static func code(_ name: String) -> String? { names[name] }

    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for row in table.split(separator: "\n") {
            let words = row.split(separator: " ")
            for name in words.dropFirst() { names[String(name)] = String(words[0]) }
        }
        return names
    }()

    private static let table = """
        al alabama
        ak alaska
        az arizona
        ar arkansas
        ca california
        co colorado
        ct connecticut
        de delaware
        dc districtofcolumbia washingtondc
        fl florida
        ga georgia
        hi hawaii
        id idaho
        il illinois
        in indiana
        ia iowa
        ks kansas
        ky kentucky
        la louisiana
        me maine
        md maryland
        ma massachusetts
        mi michigan
        mn minnesota
        ms mississippi
        mo missouri
        mt montana
        ne nebraska
        nv nevada
        nh newhampshire
        nj newjersey
        nm newmexico
        ny newyork newyorkstate
        nc northcarolina
        nd northdakota
        oh ohio
        ok oklahoma
        or oregon
        pa pennsylvania
        ri rhodeisland
        sc southcarolina
        sd southdakota
        tn tennessee
        tx texas
        ut utah
        vt vermont
        va virginia
        wa washington washingtonstate
        wv westvirginia
        wi wisconsin
        wy wyoming
        as americansamoa
        gu guam
        mp northernmarianaislands
        pr puertorico
        vi usvirginislands virginislands
        ab alberta
        bc britishcolumbia colombiebritannique
        mb manitoba
        nb newbrunswick nouveaubrunswick
        nl newfoundlandandlabrador newfoundland terreneuveetlabrador
        ns novascotia nouvelleecosse
        nt northwestterritories territoiresdunordouest
        nu nunavut
        on ontario
        pe princeedwardisland ileduprinceedouard
        qc quebec
        sk saskatchewan
        yt yukon yukonterritory
        """
}
