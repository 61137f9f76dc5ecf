/** First part of the shared counter's script: what one bucket holds, what is free in it, taking and giving back. */
import { FULL_UP_TO_MS } from './alone.ts';
import { CLEAN_MS, NEAR, PRESSED, RAISE, RAISE_NEAR, RESERVE, RESERVE_FROM_MS } from './bucket.ts';
import { EDGE_MAX_MS, EDGE_SHARE, SPREAD_MS } from './counter.ts';
import { GRANULES } from './window.ts';

/** So long after a node came back every node has a copy of what it had done alone. */
const TOLD_MS = 30_000;

/** How long a key is listed that nobody uses. */
const LISTED_MS = 25 * 3_600_000;
/** Keys that are listed, or forgotten, in one step. */
export const LIST_KEYS = 200;

/** Lua; `redis-script.ts` goes on from here. */
export const BUCKETS = `
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

local FIELDS = {'f','u','lo','hi','e','cy','t','r','l','lt','ld','pr','sl','x','xu','q','qu','h','ht','sd','ra','ja'}
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
    -- Looking at a bucket does not make one.
    if #a > 0 and (b.touched or not b.new) then redis.call('HSET', b.k, unpack(a)) end
    -- Keys live long after their windows; telling so at every take would cost a tenth of the script.
    if b.touched and (b.new or b.forced or math.random(16) == 1) then
      -- What a refusal taught is kept for a month; a hidden limit that was never met is where the next one begins.
      local life = math.max(b.c.w * 2 + 120000, (b.r or 0) - now + 60000, b.l and b.ld and 2592000000 or 0)
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

-- Units that an absent node knows of: answered before it was heard of last. It takes its share of what they leave, no more.
-- Not told apart where a node came back lately: what that one had done alone, the absent one cannot know.
local function before(b, heard)
  if b.c.kind ~= 'L' or b.c.w > ${FULL_UP_TO_MS} or b.u <= 0 or not b.lo or (b.ja and b.ja > heard - ${TOLD_MS}) then
    return 0
  end
  local last = math.min(b.hi, math.floor(heard / (b.c.w / G)) - 1)
  if last < b.lo then return 0 end
  local names = {}
  for n = b.lo, last do names[#names + 1] = 'g' .. n end
  local sum = 0
  for _, units in ipairs(redis.call('HMGET', b.k, unpack(names))) do sum = sum + (units and num(units) or 0) end
  return sum
end

-- Units that absent nodes may use by themselves.
local function kept(b, full)
  local sum = 0
  for i, at in ipairs(cut and cut.ranks or {}) do
    local share = math.floor(full / cut.n) + ((at < full % cut.n) and 1 or 0)
    sum = sum + math.ceil(share * (1 - math.min(1, before(b, num(cut.heard and cut.heard[i] or 0)) / full)))
  end
  return sum
end

local RESERVE = {${RESERVE.join(', ')}}
local function room(b, rank)
  local full = math.max(1, math.floor(limitOf(b)))
  local r = full
  if b.qu and b.qu > now then r = math.max(1, math.floor(r * b.q)) end
  if b.xu and b.xu > now then r = r - b.x end
  if rank > 0 and b.h and b.h > 0 and b.c.w >= ${RESERVE_FROM_MS} then
    local h = b.h * math.exp(-(now - b.ht) / b.c.w)
    r = r - math.min(math.ceil(full * RESERVE[rank + 1]), math.floor(h))
  end
  return r - kept(b, full)
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
    if inUse(b, limit) >= ${PRESSED} * limit then put(b, 'pr', 1) end
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
  -- A call that outlived its bucket.
  if b.new then keep(b) end
  put(b, 'f', math.max(0, b.f - units))
  if how == 'c' then
    if c.kind == 'F' then put(b, 'u', math.max(0, b.u - units)) end
  elseif c.kind == 'L' or c.kind == 'J' then
    add(b, now, units)
  elseif c.kind == 'F' and now > b.e - edge(c.w) then
    put(b, 'cy', (b.cy or 0) + units)
  end
end

-- Keys that nobody has used for a day are not listed any more; a few at a time, with the beat of every node.
local function forget()
  local old = redis.call('ZRANGEBYSCORE', p .. 'idx', '-inf', now - ${LISTED_MS}, 'LIMIT', 0, ${LIST_KEYS})
  if #old > 0 then
    redis.call('ZREM', p .. 'idx', unpack(old))
    redis.call('HDEL', p .. 'meta', unpack(old))
  end
end
`;
