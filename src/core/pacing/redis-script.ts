/**
 * The shared counter's one script: everything a node wants done at a moment, in one atomic step, on the server's own
 * clock, so that the clocks of the nodes do not matter. The rules are those of `bucket.ts` and `counters.ts`.
 *
 * Keys, all under one prefix with one hash tag (`p`): `epoch` (made anew when the data were lost), `nodes` (name ->
 * last heard of), `cut` (what absent nodes may use by themselves), `b:<bucket>` (one hash each), `fl:<node>` (bucket ->
 * units under way at that node), `idx` (bucket -> last used), `w:<domain>:<rank>` and `ws:…` (waiting workspaces: service
 * had, last asked), `sv:<domain>:<rank>` (service had by workspaces that do not wait at the moment), `q:<domain>` (node ->
 * what waits there).
 *
 * Fields of a bucket: f units under way, u answered, lo/hi oldest and newest granule, g<n> granule, e end of a fixed
 * window, cy carried over its edge, t full again (even refill), r rest until, l learned limit, lt changed, ld lowered,
 * pr pressed, sl stated by the platform, x/xu used by others until, q/qu squeezed until, h/ht urgent use, sd seeded after a loss, ra level refused last.
 */
import { CLEAN_MS, LOWER, NEAR, RAISE, RAISE_NEAR, RESERVE_FROM_MS } from './bucket.ts';
import { EDGE_MAX_MS, EDGE_SHARE, SPREAD_MS } from './counter.ts';
import { LOWER_SHARE } from './turns.ts';
import { GRANULES } from './window.ts';

/** A node that was not heard of for so long counts on its own share; others leave it that share. */
export const ABSENT_MS = 1_500;

/** After so long it is taken as gone: its calls as answered, its share as free. */
export const GONE_MS = 60_000;

/** Most that a workspace can be behind the others in service: who was away cannot claim the past. */
export const LAG = 8;

/** What another node said of its waiting calls is believed for so long. */
export const BACKLOG_MS = 1_500;

/** A waiting call that was not asked for again within this time no longer holds its turn. */
export const TURN_MS = 1_000;

export const SCRIPT = `
local p = KEYS[1]
local m = cjson.decode(ARGV[1])
local now = m.now
if not now then
  local t = redis.call('TIME')
  now = t[1] * 1000 + t[2] / 1000
end
local G = ${GRANULES}
local num = tonumber

local function edge(w) return math.min(${EDGE_MAX_MS}, w * ${EDGE_SHARE}) end

local function key(c) return p .. 'b:' .. c.id end

local FIELDS = {'f','u','lo','hi','e','cy','t','r','l','lt','ld','pr','sl','x','xu','q','qu','h','ht','sd','ra'}
local cache = {}
local flights = {}
-- One reading and one writing per bucket, however many operations of the message touch it.
local function load(c)
  local b = cache[c.id]
  if b then
    b.c = c
    return b
  end
  local v = redis.call('HMGET', key(c), unpack(FIELDS))
  b = {c = c, k = key(c), set = {}, plus = {}}
  for i = 1, #FIELDS do b[FIELDS[i]] = v[i] and num(v[i]) end
  b.new = not b.f
  b.f = b.f or 0
  b.u = b.u or 0
  cache[c.id] = b
  return b
end
local function put(b, field, value)
  b[field] = value
  b.set[field] = value
end
local function text(value)
  if value == math.floor(value) and value < 1e15 and value > -1e15 then return string.format('%.0f', value) end
  return string.format('%.17g', value)
end
local function granule(b, n)
  local units = num(redis.call('HGET', b.k, 'g' .. n) or 0) + (b.plus[n] or 0)
  return units ~= 0 and units or nil
end
local function saveAll()
  for _, b in pairs(cache) do
    local a = {}
    for field, value in pairs(b.set) do
      a[#a + 1] = field
      a[#a + 1] = text(value)
    end
    for n, units in pairs(b.plus) do
      a[#a + 1] = 'g' .. n
      a[#a + 1] = text(units + num(redis.call('HGET', b.k, 'g' .. n) or 0))
    end
    if #a > 0 then redis.call('HSET', b.k, unpack(a)) end
    -- Keys live long after their windows; telling so at every take would cost a tenth of the script.
    if b.touched and (b.new or b.forced or math.random(16) == 1) then
      local life = math.max(b.c.w * 2 + 120000, (b.r or 0) - now + 60000, b.l and 2592000000 or 0)
      redis.call('PEXPIRE', b.k, math.ceil(life))
      redis.call('ZADD', p .. 'idx', now, b.c.id)
      if b.new or b.forced then
        local cost = b.c.cost
        b.c.cost = nil
        redis.call('HSET', p .. 'meta', b.c.id, cjson.encode(b.c))
        b.c.cost = cost
      end
    end
  end
  for id, units in pairs(flights) do
    if units ~= 0 then redis.call('HINCRBYFLOAT', p .. 'fl:' .. m.node, id, text(units)) end
  end
end

-- Frees what is older than a window.
local function expire(b)
  local c = b.c
  if c.kind == 'F' then
    if not b.e or now >= b.e + edge(c.w) then
      local s, e = c.s[1], c.s[2]
      for i = 1, #c.s - 1 do
        if c.s[i] <= now and now < c.s[i + 1] then s, e = c.s[i], c.s[i + 1] end
      end
      put(b, 'u', b.f + ((b.e == s) and (b.cy or 0) or 0))
      put(b, 'cy', 0)
      put(b, 'e', e)
    end
    return
  end
  if c.kind == 'G' or b.u <= 0 or not b.lo then return end
  local size = c.w / G
  local lo, gone = b.lo, {}
  while b.u > 0 and lo <= b.hi and (lo + 1) * size + c.w <= now do
    local n = granule(b, lo)
    if n then
      b.u = b.u - n
      b.plus[lo] = nil
      gone[#gone + 1] = 'g' .. lo
    end
    lo = lo + 1
  end
  if lo ~= b.lo then
    put(b, 'lo', lo)
    put(b, 'u', b.u)
    if #gone > 0 then redis.call('HDEL', b.k, unpack(gone)) end
  end
end

local function add(b, at, units)
  if units <= 0 then return end
  local n = math.floor(at / (b.c.w / G))
  if b.u <= 0 or not b.lo then
    put(b, 'lo', n)
    put(b, 'hi', n)
  else
    if n > b.hi then put(b, 'hi', n) end
    if n < b.lo then put(b, 'lo', n) end
  end
  b.plus[n] = (b.plus[n] or 0) + units
  put(b, 'u', b.u + units)
end

local function limitOf(b)
  local c = b.c
  local ceiling = b.sl or (c.max > 0 and c.max) or c.limit
  local l = b.l
  if not l then
    if c.max == 0 then return ceiling end
    l = c.limit
  end
  local lt = b.lt or now
  local clean = (c.max == 0) and ${CLEAN_MS} or math.max(${CLEAN_MS}, c.w)
  if b.l and now - lt >= clean then
    if c.max == 0 then l = l * ${RAISE} ^ math.floor((now - lt) / ${CLEAN_MS})
    elseif b.pr == 1 then l = l * ((l < ${NEAR} * (b.ra or math.huge)) and ${RAISE} or ${RAISE_NEAR}) end
    if l >= ceiling then l = ceiling end
    put(b, 'lt', now)
    put(b, 'pr', 0)
    put(b, 'l', l)
    if c.max == 0 and l >= ceiling then
      b.l = nil
      b.set.l = nil
      redis.call('HDEL', b.k, 'l')
    end
  end
  return math.min(ceiling, l)
end

local function inUse(b, limit)
  if b.c.kind == 'G' then return math.max(0, (b.t or 0) - now) / b.c.w * limit end
  if b.c.kind == 'F' then return b.u end
  return b.f + b.u
end

local cut = redis.call('GET', p .. 'cut')
if cut then cut = cjson.decode(cut) end

local RESERVE = {0, 0.05, 0.1, 0.2}
local function room(b, rank)
  local full = math.max(1, math.floor(limitOf(b)))
  local r = full
  if b.qu and b.qu > now then r = math.max(1, math.floor(r * b.q)) end
  if b.xu and b.xu > now then r = r - b.x end
  if rank > 0 and b.h and b.h > 0 and b.c.w >= ${RESERVE_FROM_MS} then
    local h = b.h * math.exp(-(now - b.ht) / b.c.w)
    r = r - math.min(math.ceil(full * RESERVE[rank + 1]), math.floor(h))
  end
  if cut then
    for _, at in ipairs(cut.ranks) do
      r = r - math.floor(full / cut.n) - ((at < full % cut.n) and 1 or 0)
    end
  end
  return r
end

-- Milliseconds until the claim can be taken; 0 = now, -1 = when an answer comes.
local function wait(b, rank)
  if b.r and b.r > now then return b.r - now end
  expire(b)
  local c = b.c
  local r = room(b, rank)
  local cost = math.min(c.cost, math.max(1, r))
  local w
  if c.kind == 'F' then
    w = (b.u + cost <= r) and 0 or math.max(1, b.e + edge(c.w) - now)
  elseif c.kind == 'G' then
    if r <= 0 then w = -1 else
      local burst = math.max(1, math.min(c.burst, r) - r * ${SPREAD_MS} / c.w)
      local spare = math.max(0, burst - cost) * (c.w / r)
      local ahead = (b.t or 0) - now - spare
      w = (ahead <= 0.001) and 0 or math.max(1, ahead)
    end
  else
    local over = b.f + b.u + cost - r
    if over <= 0 then w = 0 else
      w = -1
      if b.u > 0 and b.lo and c.kind ~= 'C' and not (c.kind == 'J' and b.f > 0) then
        local size = c.w / G
        for n = b.lo, b.hi do
          local units = granule(b, n)
          if units then
            over = over - units
            if over <= 0 then
              w = math.max(1, (n + 1) * size + c.w - now)
              break
            end
          end
        end
      end
    end
  end
  if w ~= 0 and b.xu and b.xu > now then
    if w == -1 or w > b.xu - now then w = b.xu - now end
  end
  return w
end

local function flight(b, units)
  flights[b.c.id] = (flights[b.c.id] or 0) + units
end

local function keep(b)
  b.touched = true
  b.forced = true
end

local function taken(b, rank)
  local c = b.c
  local limit = limitOf(b)
  put(b, 'f', b.f + c.cost)
  if c.kind == 'F' then put(b, 'u', b.u + c.cost) end
  if c.kind == 'G' then put(b, 't', math.max(b.t or 0, now) + c.cost * (c.w / limit)) end
  if c.max > 0 and not b.l then put(b, 'l', c.limit) end
  if b.l then
    if inUse(b, limit) >= 0.8 * limit then put(b, 'pr', 1) end
    if not b.lt then put(b, 'lt', now) end
  end
  if rank == 0 and c.w >= ${RESERVE_FROM_MS} then
    put(b, 'h', (b.h or 0) * math.exp(-(now - (b.ht or now)) / c.w) + c.cost)
    put(b, 'ht', now)
  end
  flight(b, c.cost)
  b.touched = true
end

local function released(b, units, how)
  local c = b.c
  expire(b)
  put(b, 'f', math.max(0, b.f - units))
  if how == 'c' then
    if c.kind == 'F' then put(b, 'u', math.max(0, b.u - units)) end
  elseif c.kind == 'L' or c.kind == 'J' then
    add(b, now, units)
  elseif c.kind == 'F' and now > b.e - edge(c.w) then
    put(b, 'cy', (b.cy or 0) + units)
  end
end

-- Turns between nodes: among workspaces that wait, the one that had least goes first.
local function names(o)
  local d = o.d .. ':' .. o.rank
  return p .. 'w:' .. d, p .. 'ws:' .. d, p .. 'sv:' .. d
end
local function waitsAt(d, rank)
  local seen = p .. 'ws:' .. d .. ':' .. rank
  if redis.call('EXISTS', seen) == 0 then return false end
  local stale = redis.call('ZRANGEBYSCORE', seen, '-inf', now - ${TURN_MS})
  if #stale > 0 then
    redis.call('ZREM', seen, unpack(stale))
    redis.call('ZREM', p .. 'w:' .. d .. ':' .. rank, unpack(stale))
  end
  return redis.call('EXISTS', seen) == 1
end
local waiting = {}
-- Who waits keeps what it has; who is new, or was away, starts near where the others are.
local function served(o)
  local w, _, sv = names(o)
  local level = num(redis.call('HGET', sv, '') or 0)
  local known = redis.call('ZSCORE', w, o.ws) or redis.call('HGET', sv, o.ws)
  return math.max(num(known or 0), o.sv or 0, level - ${LAG})
end
local function leave(o)
  local w, ws = names(o)
  redis.call('ZREM', w, o.ws)
  redis.call('ZREM', ws, o.ws)
end
local function turn(o)
  local own = served(o)
  local w, ws, sv = names(o)
  redis.call('ZADD', w, own, o.ws)
  redis.call('ZADD', ws, now, o.ws)
  redis.call('PEXPIRE', w, 60000)
  redis.call('PEXPIRE', ws, 60000)
  if waiting[o.d] ~= now then
    waiting[o.d] = now
    redis.call('SET', p .. 'wd:' .. o.d, text(now), 'PX', 60000)
  end
  local owed = num(redis.call('HGET', sv, '#owed') or 0)
  if o.rank > 0 and owed < ${LOWER_SHARE - 1} then
    for rank = 0, o.rank - 1 do
      if waitsAt(o.d, rank) then return false, own end
    end
  end
  waitsAt(o.d, o.rank)
  local first = redis.call('ZRANGE', w, 0, 0, 'WITHSCORES')
  if first[1] and first[1] ~= o.ws and num(first[2]) < own - 1e-9 then return false, own end
  return true, own
end
local function charge(o, own, cost)
  local w, _, sv = names(o)
  local mine = own + cost / o.weight
  -- The level never sinks: one that was away goes before the others for ${LAG} units, not for more with every such one.
  local level = math.max(own, num(redis.call('HGET', sv, '') or 0))
  redis.call('HSET', sv, o.ws, text(mine), '', text(level), '#owed', 0)
  redis.call('PEXPIRE', sv, 600000)
  if redis.call('ZSCORE', w, o.ws) then redis.call('ZADD', w, mine, o.ws) end
  for rank = o.rank + 1, 3 do
    if waitsAt(o.d, rank) then redis.call('HINCRBY', p .. 'sv:' .. o.d .. ':' .. rank, '#owed', 1) end
  end
  return mine
end
local function anyWaits(d)
  if waiting[d] == nil then waiting[d] = redis.call('GET', p .. 'wd:' .. d) or false end
  if not waiting[d] or num(waiting[d]) < now - ${TURN_MS} then return false end
  for rank = 0, 3 do
    if waitsAt(d, rank) then return true end
  end
  return false
end

local function take(o)
  local bs, worst, at = {}, 0, nil
  for i, c in ipairs(o.c) do
    local b = load(c)
    bs[i] = b
    local w = wait(b, o.owed and 0 or o.rank)
    if w ~= 0 and (not at or (w > 0 and (worst == -1 or w > worst))) then
      worst = w
      at = i
    end
  end
  if not o.q and not at and anyWaits(o.d) then o.q = true end
  if not o.q then
    if at then return {at, worst} end
    for _, b in ipairs(bs) do taken(b, o.rank) end
    return {0}
  end
  local mine, own = turn(o)
  if at or not mine then
    if at then return {at, worst, own} end
    return {-1, 0, own}
  end
  for _, b in ipairs(bs) do taken(b, o.rank) end
  return {0, 0, charge(o, own, o.c[1].cost)}
end

local function force(o)
  for _, c in ipairs(o.c) do
    local b = load(c)
    expire(b)
    taken(b, 0)
  end
  return 0
end

local function settle(o)
  for _, c in ipairs(o.c) do
    local b = load(c)
    released(b, c.cost, o.how)
    flight(b, -c.cost)
  end
  return 0
end

local function over(o)
  for _, c in ipairs(o.c) do
    local b = load(c)
    expire(b)
    local left = c.cost
    local n = b.hi
    while left > 0 and b.u > 0 and n and n >= b.lo do
      local off = math.min(left, granule(b, n) or 0)
      if off > 0 then
        b.plus[n] = (b.plus[n] or 0) - off
        left = left - off
        put(b, 'u', b.u - off)
      end
      n = n - 1
    end
  end
  return 0
end

local function refuse(o)
  local b = load(o.c)
  expire(b)
  put(b, 'r', math.max(b.r or 0, now + o.ms))
  if o.lower then
    local episode = math.min(${CLEAN_MS}, math.max(1000, o.c.w))
    if not b.ld or now - b.ld >= episode then
      local current = limitOf(b)
      local from = current
      if o.c.max > 0 then from = math.min(current, math.max(inUse(b, current), current / 3)) end
      put(b, 'l', math.max(o.c.min, from * ${LOWER}))
      put(b, 'ra', from)
      put(b, 'lt', now)
      put(b, 'ld', now)
      put(b, 'pr', 0)
    end
  end
  put(b, 'f', b.f)
  keep(b)
  return 0
end

local function observe(o)
  local b = load(o.c)
  expire(b)
  local v = o.v
  if v.limit and v.limit > 0 then
    put(b, 'sl', v.limit)
    if o.c.max > 0 then put(b, 'l', math.max(b.l or 0, v.limit)) end
  end
  local till = now + (v.resetMs or o.c.w)
  if v.remaining then
    local limit = math.floor(limitOf(b))
    put(b, 'x', math.max(0, limit - v.remaining - inUse(b, limit)))
    put(b, 'xu', b.x > 0 and till or 0)
    if v.remaining <= 0 then put(b, 'r', math.max(b.r or 0, till)) end
  end
  if v.fraction then
    local slow, stop = v.slowAt or 0.75, v.stopAt or 0.95
    if v.fraction >= stop then put(b, 'r', math.max(b.r or 0, till)) end
    put(b, 'q', math.max(0.1, (stop - v.fraction) / (stop - slow)))
    put(b, 'qu', v.fraction > slow and till or 0)
  end
  put(b, 'f', b.f)
  keep(b)
  return 0
end

-- What a node needs to go on by itself: units answered by granule, units under way, limit, rest.
local function view(c)
  local b = load(c)
  expire(b)
  local limit = limitOf(b)
  local out = {f = b.f, u = b.u, limit = limit, r = b.r and math.max(0, b.r - now) or 0, g = {}, n = inUse(b, limit),
    l = b.l and true or false, x = (b.xu and b.xu > now) and b.x or 0, t = b.t and math.max(0, b.t - now) or 0}
  if (c.kind == 'L' or c.kind == 'J') and b.u > 0 and b.lo then
    local size = c.w / G
    for n = b.lo, b.hi do
      local units = granule(b, n)
      -- Age of the granule's end: relative, so that it means the same on every clock.
      if units then out.g[#out.g + 1] = {(n + 1) * size - now, units} end
    end
  end
  return out
end

-- Calls under way at a node that will not report them: taken as answered now.
local function drain(node, except)
  local all = redis.call('HGETALL', p .. 'fl:' .. node)
  for i = 1, #all, 2 do
    local id, units = all[i], num(all[i + 1])
    if not except[id] then
      local meta = redis.call('HGET', p .. 'meta', id)
      if units > 0 and meta then
        local c = cjson.decode(meta)
        c.cost = units
        released(load(c), units, 'a')
      end
      redis.call('HDEL', p .. 'fl:' .. node, id)
    end
  end
end

local function bury(node)
  drain(node, {})
  redis.call('HDEL', p .. 'nodes', node)
end

local function census()
  redis.call('HSET', p .. 'nodes', m.node, string.format('%.17g', now))
  local all = redis.call('HGETALL', p .. 'nodes')
  local list = {}
  for i = 1, #all, 2 do
    local name, heard = all[i], num(all[i + 1])
    if now - heard > ${GONE_MS} then bury(name) else list[#list + 1] = {name, heard} end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  local ranks, sorted = {}, {}
  for i, one in ipairs(list) do
    sorted[i] = one[1]
    if now - one[2] > ${ABSENT_MS} then ranks[#ranks + 1] = i - 1 end
  end
  if #ranks > 0 then
    redis.call('SET', p .. 'cut', cjson.encode({n = #list, ranks = ranks}))
  else
    redis.call('DEL', p .. 'cut')
  end
  return sorted
end

local function beat(o)
  local views = {}
  for i, c in ipairs(o.c) do
    views[i] = view(c)
  end
  local sorted = census()
  return {nodes = sorted, views = views}
end

-- A node comes (back): what it did by itself is added to what the others did, in one step.
local function join(o)
  redis.call('SET', p .. 'epoch', o.epoch, 'NX')
  local epoch = redis.call('GET', p .. 'epoch')
  local lost = o.prev and o.prev ~= epoch
  local told = {}
  for _, one in ipairs(o.known) do
    if one ~= m.node then redis.call('HSETNX', p .. 'nodes', one, string.format('%.17g', now - ${ABSENT_MS} - 1)) end
  end
  for _, s in ipairs(o.state) do
    local c = s.c
    local b = load(c)
    told[c.id] = true
    local before = num(redis.call('HGET', p .. 'fl:' .. m.node, c.id) or 0)
    expire(b)
    if lost and not b.sd then
      -- The data were lost: what this node last knew of all nodes' use stands for it.
      put(b, 'sd', 1)
      for _, one in ipairs(s.seed) do
        if c.kind == 'L' or c.kind == 'J' then add(b, now + one[1], one[2])
        elseif c.kind == 'F' then put(b, 'u', b.u + one[2]) end
      end
      if s.r > 0 then put(b, 'r', now + s.r) end
      if s.l then put(b, 'l', s.l); put(b, 'lt', now) end
      if s.t > 0 then put(b, 't', now + s.t) end
    end
    for _, one in ipairs(s.own) do
      if c.kind == 'L' or c.kind == 'J' then add(b, now + one[1], one[2])
      elseif c.kind == 'F' then put(b, 'u', b.u + one[2]) end
    end
    -- Calls whose fate was lost with the connection are taken as answered now.
    if before > s.f then
      if c.kind == 'L' or c.kind == 'J' then add(b, now, before - s.f) end
    end
    put(b, 'f', math.max(0, b.f - before) + s.f)
    if c.kind == 'F' and s.f > before then put(b, 'u', b.u + s.f - before) end
    if s.f > 0 then redis.call('HSET', p .. 'fl:' .. m.node, c.id, s.f) else redis.call('HDEL', p .. 'fl:' .. m.node, c.id) end
    keep(b)
  end
  drain(m.node, told)
  return {epoch = epoch, nodes = census()}
end

local function list()
  local out = {}
  local old = redis.call('ZRANGEBYSCORE', p .. 'idx', '-inf', now - 90000000, 'LIMIT', 0, 1000)
  if #old > 0 then
    redis.call('ZREM', p .. 'idx', unpack(old))
    redis.call('HDEL', p .. 'meta', unpack(old))
  end
  for _, id in ipairs(redis.call('ZREVRANGE', p .. 'idx', 0, 1999)) do
    local meta = redis.call('HGET', p .. 'meta', id)
    if meta then
      local c = cjson.decode(meta)
      c.cost = 1
      local v = view(c)
      out[#out + 1] = {id = id, w = c.w, n = v.n, limit = v.limit, r = v.r, l = v.l, x = v.x}
    end
  end
  return out
end

-- What waits at each node for a domain: kept for the others, and answered with theirs.
local function backlog(o)
  local k = p .. 'q:' .. o.d
  redis.call('HSET', k, m.node, string.format('%.0f', now) .. ' ' .. o.q)
  redis.call('PEXPIRE', k, 60000)
  local all = redis.call('HGETALL', k)
  local others = {}
  for i = 1, #all, 2 do
    if all[i] ~= m.node then
      local at, text = string.match(all[i + 1], '^(%d+) (.*)$')
      if now - num(at) > ${BACKLOG_MS} then redis.call('HDEL', k, all[i]) else others[#others + 1] = text end
    end
  end
  return others
end

local out = {}
local epoch = redis.call('GET', p .. 'epoch')
if m.epoch and epoch ~= m.epoch then return cjson.encode({rejoin = true, now = now}) end
for i, o in ipairs(m.ops) do
  if o.o == 't' then out[i] = take(o)
  elseif o.o == 'c' then out[i] = force(o)
  elseif o.o == 's' then out[i] = settle(o)
  elseif o.o == 'h' then out[i] = beat(o)
  elseif o.o == 'r' then out[i] = refuse(o)
  elseif o.o == 'v' then out[i] = observe(o)
  elseif o.o == 'e' then out[i] = over(o)
  elseif o.o == 'q' then leave(o); out[i] = 0
  elseif o.o == 'b' then out[i] = backlog(o)
  elseif o.o == 'j' then out[i] = join(o)
  elseif o.o == 'x' then bury(m.node); out[i] = 0
  elseif o.o == 'l' then out[i] = list() end
end
saveAll()
return cjson.encode({out = out, now = now})
`;
