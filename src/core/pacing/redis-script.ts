/**
 * The shared counter's one script: everything a node wants done at a moment, in one atomic step, on the server's own
 * clock, so that the clocks of the nodes do not matter. The rules are those of `bucket.ts` and `counters.ts`; what one bucket
 * holds and gives is in `redis-script-buckets.ts`.
 *
 * Keys, all under one prefix with one hash tag (`p`): `epoch` (made anew when the data were lost), `nodes` (name ->
 * last heard of), `cut` (what absent nodes may use by themselves), `b:<bucket>` (one hash each), `fl:<node>` (bucket ->
 * units under way at that node), `idx` (bucket -> last used), `meta` (bucket -> its claim), `wd:<domain>` (when a call
 * waited last), `w:<domain>:<rank>` and `ws:…` (waiting workspaces: service had, last asked), `sv:<domain>:<rank>` (service
 * had by workspaces that do not wait at the moment), `q:<domain>` (node -> what waits there).
 *
 * Fields of a bucket: f units under way, u answered, lo/hi oldest and newest granule, g<n> granule, e end of a fixed
 * window, cy carried over its edge, t full again (even refill), r rest until, l learned limit, lt changed, ld lowered,
 * pr pressed, ra level refused last, sl stated by the platform, x/xu used by others until, q/qu squeezed until, h/ht urgent
 * use, sd seeded after a loss, ja when units of a node that was alone were added.
 *
 * Operations: t take, c charge, s settle, e a job ended, r refused, v what the platform says, q nobody of a workspace waits
 * any more, b what waits, h heard of (the beat), j join, x good-bye, l list.
 */
import { CLEAN_MS, LOWER } from './bucket.ts';
import { BUCKETS, LIST_KEYS } from './redis-script-buckets.ts';
import { LOWER_SHARE } from './turns.ts';

/** A node that was not heard of for so long counts on its own share; others leave it that share. */
export const ABSENT_MS = 1_500;

/** After so long it is taken as gone: its calls as answered, its share as free. */
const GONE_MS = 60_000;

/** Most that a workspace can be behind the others in service: who was away cannot claim the past. */
const LAG = 8;

/** What another node said of its waiting calls is believed for so long. */
const BACKLOG_MS = 1_500;

/** A waiting call that was not asked for again within this time no longer holds its turn. */
const TURN_MS = 1_000;

export const SCRIPT = `${BUCKETS}
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

-- What a node needs to go on by itself: units answered by granule, units under way, left to absent nodes, limit, rest.
local function view(c)
  local b = load(c)
  expire(b)
  local limit = limitOf(b)
  local out = {f = b.f, u = b.u, limit = limit, k = kept(b, math.max(1, math.floor(limit))), r = b.r and math.max(0, b.r - now) or 0, g = {}, n = inUse(b, limit),
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
  local ranks, heard, sorted = {}, {}, {}
  for i, one in ipairs(list) do
    sorted[i] = one[1]
    if now - one[2] > ${ABSENT_MS} then
      ranks[#ranks + 1] = i - 1
      heard[#heard + 1] = one[2]
    end
  end
  if #ranks > 0 then
    redis.call('SET', p .. 'cut', cjson.encode({n = #list, ranks = ranks, heard = heard}))
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
  forget()
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
      put(b, 'ja', now)
      for _, one in ipairs(s.seed) do
        if c.kind == 'L' or c.kind == 'J' then add(b, now + one[1], one[2])
        elseif c.kind == 'F' then put(b, 'u', b.u + one[2]) end
      end
      if s.r > 0 then put(b, 'r', now + s.r) end
      if s.l then put(b, 'l', s.l); put(b, 'lt', now) end
      if s.t > 0 then put(b, 't', now + s.t) end
    end
    if #s.own > 0 then put(b, 'ja', now) end
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

-- Some of the keys: whoever asks goes on where this ends, and calls of others come between.
local function list(o)
  local page = redis.call('HSCAN', p .. 'meta', o.at, 'COUNT', ${LIST_KEYS})
  local rows = {}
  for i = 1, #page[2], 2 do
    local c = cjson.decode(page[2][i + 1])
    c.cost = 1
    local v = view(c)
    rows[#rows + 1] = {id = page[2][i], w = c.w, n = v.n, limit = v.limit, r = v.r, l = v.l, x = v.x}
  end
  return {at = page[1], rows = rows}
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
  elseif o.o == 'l' then out[i] = list(o) end
end
saveAll()
return cjson.encode({out = out, now = now})
`;
