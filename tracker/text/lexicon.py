"""The words that official texts are made of, as far as breaking one down needs them. Read, never shown."""

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What a measure is opened with. Two characters each: the verb alone, without what may stand before it.
VERBS = _set(
    """
    坚持 推进 推动 促进 加快 加强 强化 完善 健全 建立 落实 实施 开展 组织 提升 提高 优化 深化 突出 把牢 破解 做实
    做好 做强 做优 做大 做精 抓好 抓实 抓紧 抓牢 打造 构建 培育 发展 壮大 建设 扩大 拓展 创新 改善 改进 改造 规范
    整治 治理 防范 化解 保障 保护 支持 鼓励 引导 引进 引育 统筹 探索 聚焦 聚力 围绕 夯实 筑牢 守牢 守住 严守 严格
    严防 严肃 压实 压紧 明确 制定 编制 出台 修订 梳理 排查 检查 督促 督导 考核 评估 监测 监督 公开 宣传 培训 选派
    选拔 激励 激发 释放 增强 增加 扩增 降低 减少 控制 淘汰 取缔 关停 清理 清除 清退 整合 盘活 挖掘 用好 用足 争取
    抢抓 抢占 把握 瞄准 对标 对接 融入 服务 树立 树牢 破除 传承 弘扬 践行 牢记 锚定 紧盯 紧扣 紧抓 立足 着眼 发挥
    注重 重视 关注 形成 实现 达到 完成 确保 力争 打通 畅通 打响 打好 打赢 疏通 补齐 补足 补短 补强 延伸 延链 强链
    搭建 设立 设置 成立 组建 配齐 配强 配备 划定 划分 安排 部署 谋划 启动 试点 推广 推行 普及 应用 运用 利用 使用
    转化 转变 转型 改革 放宽 放活 简化 精简 压减 压缩 取消 下放 缩短 调整 纠正 问责 查处 打击 惩治 遏制 杜绝 禁止
    纳入 列入 列出 报送 上报 提交 汇总 通报 反馈 回应 解决 处理 处置 办理 办好 办结 受理 兑现 发放 给予 提供 供给
    投入 筹集 争创 创建 创造 创设 营造 维护 巩固 稳定 稳住 稳步 联动 联合 协调 协同 配合 参与 动员 发动 凝聚 团结
    带动 辐射 示范 选树 表彰 奖励 宽容 鞭策 褒奖 担负 担当 走好 走出 走实 当好 建好 建强 建成 建优 管好 管住 育强
    育优 练好 念好 唱响 擦亮 厚植 涵养 涵育 绘好 书写 谱写 答好 开创 开辟 开拓 开放 开通 开发 招引 招募 招商 承接
    转移 集聚 汇聚 聚集 吸引 留住 用活 激活 唤醒 修复 修缮 修建 新建 改建 扩建 续建 重建 升级 更新 翻新 提质 扩容
    增效 增绿 节约 节能 减排 降碳 绿化 美化 亮化 净化 硬化 清洁 回收 循环 落细 细化 量化 固化 强壮 撬动 牵引 引领
    统领 统揽 抓住 抓手 扭住 扛牢 扛起 勇于 敢于 善于 勇当 勇挑 争当 争先 靠前 深耕 厘清 认真 主动 积极 全面 深入
    大力 扎实 切实 着力 持续 不断 有序 充分 坚决 努力 奋力 全力 加大 进一 更加 牢固 重点 举办 召开 参加 学习 贯彻
    宣讲 研究 研判 分析 收集 建档 登记 核查 核实 复核 验收 备案 审查 审核 审批 评选 评定 遴选 认定 拓宽 拓深 延长
    保持 保证 保留 保存 维持 遵守 执行 履行 承担 负责 牵头 放大 叫响 擘画 凝练 壮实 振兴 护航 守护 呵护 关爱 关心
    帮扶 帮助 救助 资助 补助 补贴 减免 减轻 降本 让利 惠及 普惠 稳岗 扩岗 促就 引才 拆除 恢复 新增 扶持 举行 增设
    覆盖 补种 栽植 种植 清运 约谈 开设 增派 缩小 上线 集成 严控 实行 限制 依托 打破 攻克 突破 攻坚 肃清 严惩 约束
    管控 严管 选优 培优 摸清 摸排 查清 查摆 严查 公布 发布 采购 委托 评价 追究 追责 制止 停止 停用 预防 预警 抢修
    检修 储备 摸底 拉动 打开 倡导 推出 摒弃 克服 消除 根治 收回 腾退 迁移 搬迁 安置 接入 提速 督办 轮训 遏止 严把
    把好 把准 下沉 走访 慰问 织密 织牢 兜牢 兜住 筹建 申报 申请 育才 用才 制订 抽查
    """
)
# Before the verb: what links sentences, says how, or says that something must be.
_BEFORE = re.compile(
    r"(?:同时|此外|另外|其中|并且|而且|并|还|且|也|对此|为此|因此|在此基础上|下一步|今年|明年|"
    r"(?:到|在|于)?20\d\d年(?:\d{1,2}月)?(?:底|末)?(?:之?前)?|年底前|\d{1,2}月底前|每(?:年|月|周|季度|半年|两年)|"
    r"要|应当|应该|应|须|必须|需要|需|迫切需要|务必|务求|将|继续|重点|全面|全力|全程|"
    r"深入|大力|扎实|积极|切实|持续|着力|进一步|不断|更好|更加|加快|稳步|有序|有效|充分|认真|严格|主动|坚决|努力|奋力|"
    r"坚定不移地?|坚定|牢固|旗帜鲜明地?|科学|统一|集中|尽快|及时|定期|分类|精准|高标准|高质量|高水平|逐步|共同|依法|按时|加大)[，,]?"
)
# Who has to act may stand first: a place, an office, "all units".
_SUBJECT = re.compile(
    r"(?:[^\W\d对把将的由与和向为]{0,6}(?:市|县|区|乡镇|街道|局|委|办|部门|单位|政府|企业|机关|高校|学校|医院|中心|地)|我们|全市|各级各部门)"
    r"(?:、?[（(][^）)]{0,12}[）)])?"
)
_MUST = re.compile(
    r"^(?:(?:我们|全[省市县区镇]|各级|各地|各部门)(?:要|将|应当?|须|必须|需要)?|要|将)(?![求素点闻军来])"
)
_MODAL = re.compile(
    r"(?<![主重需必只首摘纪概扼将不])要(?![素求点闻害塞义领么])|必须|应当|务必|不得|严禁|确保|力争|(?<!不)需要|"
    r"原则上|(?:^|[\u4e00-\u9fff])须(?!知)|负责"
)
_ENGLISH = re.compile(
    r"\b(?:must|shall|should|will|ensure|establish|build|improve|create|develop|strengthen|launch|publish|train|reduce|"
    r"increase|expand|complete|set up|carry out|introduce|provide|support|review|report|open|upgrade|repair|extend)\b",
    re.IGNORECASE,
)
# What looks like a verb and is part of a noun, or only says where and how the demand that follows is met.
_NOUN = re.compile(
    r"(?:创新(?:资源|能力|链|活动)|发展(?:的|中|是)|改革开放|保障水平|服务(?:业|企业的)|公开(?:资料|数据)|围绕)"
)
# A sentence that says how things are, whatever it opens with.
_STATES = re.compile(r"^[\u4e00-\u9fff]{2}是|意义重大|(?:显得|尤为|至关|十分)重要[。，；]?$")
# Who leads and who helps: a note beside a demand.
_OWNERS = re.compile(
    r"^(?:由[^，。]{2,30}(?:牵头|负责|会同)|[^，。]{2,60}(?:配合|参与|协助)|(?:led|supported) by.*)[）)。；;.]*$"
)
# Sentences open alike by chance with one of these; it makes no measure of them.
NO_OPENING = _set(
    """
    对此 同时 此外 其中 因此 近年 当前 目前 今年 明年 我们 我市 我省 全市 这是 这些 他们 如何 通过 一方 另一 只有
    只要 如果 随着 由于 为了 为此 必须 特别 尤其 首先 其次 最后 总之 这一 各地 各级 各部 各县 本次 本方 本办 本通
    上述 对于 根据 按照 一年 一是 二是 三是 要求 一些 有的
    """
)
# Formulas that open or close an official letter and ask for nothing that could be tracked.
FORMULA = re.compile(
    r"现将|印发给|通知如下|公告如下|报告如下|制定本|特制定|制订本|特此|结合[^，。]{0,12}实际|请认真贯彻|请遵照|请结合实际|"
    r"如下[:：]?$|施行[。.]?$|同时废止|解释[。.]?$"
)
# Parts that say in general what is wanted, or only frame the rest.
GENERAL = re.compile(
    r"^(?:(?:重大|指导|总体|基本|主要|发展|目标|总的|编制)*"
    r"(?:思想|(?<=总体)要求|(?<=总的)要求|(?<=基本)要求|(?:工作)?原则|(?:工作)?思路|(?:工作)?目标|"
    r"定位|意义|依据|任务目标|目标任务|范围|背景)(?:[和与及、](?:总体|主要|基本|工作|发展)*"
    r"(?:目标|原则|要求|定位|思路|依据|任务))?|总则|附则|重要意义|重大意义|前言|引言|序言|适用范围|"
    r"background|introduction|overview|general(?: provisions| requirements| principles)?|"
    r"(?:guiding )?principles|purpose|"
    r"scope|objectives?|goals?|aims?|preamble)$",
    re.IGNORECASE,
)
# Parts that look back or describe: nobody has to do anything about them.
LOOKING_BACK = re.compile(
    r"回顾|工作总结|过去[一五]年|基本情况$|存在的?(?:主要)?问题|形势分析|发展形势|面临(?:的)?形势|(?:发展|工作)基础|^现状"
)


MAX_CLAUSE_LENGTH = (
    300  # characters of a clause that are looked at; no sentence of a text comes near
)


def frames(name: str) -> bool:
    """Say whether a part of this name says in general what is wanted, or only frames the rest."""
    name = name[:MAX_CLAUSE_LENGTH]
    name = re.sub(r"\s+", "", name) if not name.isascii() else name
    return bool(GENERAL.match(re.sub(r"^(?:(?:今|明)年|20\d\d年(?:度)?)", "", name)))


def bare(clause: str) -> str:
    """Return a clause without what may stand before its verb."""
    left = clause[:MAX_CLAUSE_LENGTH].lstrip("“\"‘'《（( \t　*")
    while match := _BEFORE.match(left):
        # `全面推进` is both adverb and verb of the list: what is left must not be empty.
        if len(left) - match.end() < 2:
            break
        left = left[match.end() :]
    return left


def opens_with_verb(clause: str) -> bool:
    """Say whether a clause begins with something to do."""
    left = bare(_MUST.sub("", clause))
    if _NOUN.match(left) or _STATES.search(clause):
        return False
    return (
        left[:2] in VERBS
        or clause.lstrip("“\"‘'*")[:2] in VERBS
        or (left[:1] == "把" and "作为" in left[:40])
    )


def demands(clause: str) -> bool:
    """Say whether a clause asks for something: it opens with a verb, perhaps after its subject, or says "must"."""
    clause = clause[:MAX_CLAUSE_LENGTH]
    if FORMULA.search(clause) or _STATES.search(clause):
        return False
    if opens_with_verb(clause) or _MODAL.search(clause) or _ENGLISH.search(clause):
        return True
    subject = _SUBJECT.match(clause)
    return bool(subject and opens_with_verb(clause[subject.end() :]))


def must(clause: str) -> bool:
    """Say whether a clause says that something must be."""
    return bool(_MODAL.search(clause[:MAX_CLAUSE_LENGTH])) and not FORMULA.search(clause)


def owners(clause: str) -> bool:
    """Say whether a clause only names who leads or helps."""
    return bool(_OWNERS.match(clause[:MAX_CLAUSE_LENGTH].strip()))


def without_must(clause: str) -> str:
    """Return a clause from its verb on, where “we must” stands before it."""
    return _MUST.sub("", clause)


def without_subject(clause: str) -> str:
    """Return a clause from its verb on, where its subject stands before it."""
    if opens_with_verb(clause):
        return clause
    subject = _SUBJECT.match(clause)
    rest = clause[subject.end() :] if subject else clause
    return rest if subject and rest[:2] in VERBS else clause
