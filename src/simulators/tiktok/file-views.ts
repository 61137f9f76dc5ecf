import { readyAt } from './ad-rules.ts';
import { mediaUrl } from './files.ts';
import { stamp } from './stamp.ts';
import type { Call, Native } from './types.ts';

/** How pictures and videos are answered. Members: TikTok docs 1739067433456642 and 1737587322856449. */

/** Files made by a seed may carry the other form of time. */
const fileTime = (value: unknown): string | null =>
  typeof value === 'string' ? value.replace(/^(\S+) (\S+)$/, '$1T$2Z') : null;

/** A picture as every file endpoint answers it. */
export function imageView(origin: string, row: Native): Record<string, unknown> {
  const url = mediaUrl(origin, 'image', row.id);
  return {
    image_id: row.id,
    material_id: row['material_id'] ?? null,
    is_carousel_usable: row['is_carousel_usable'] ?? true,
    displayable: row['displayable'] ?? true,
    width: row['width'],
    height: row['height'],
    format: row['format'],
    url,
    image_url: url,
    signature: row['signature'] ?? '',
    size: row['size'] ?? 0,
    file_name: row['file_name'] ?? '',
    create_time: fileTime(row['create_time']),
    modify_time: fileTime(row['modify_time'] ?? row['create_time']),
  };
}

/** A video as every file endpoint answers it; it cannot be shown before it has been transcoded. */
export function videoView(call: Call, row: Native): Record<string, unknown> {
  const ready = call.now.getTime() >= readyAt(row);
  return {
    video_id: row.id,
    material_id: row['material_id'] ?? null,
    file_name: row['file_name'] ?? '',
    displayable: ready && (row['displayable'] ?? true),
    video_cover_url: mediaUrl(call.origin, 'cover', row.id),
    preview_url: mediaUrl(call.origin, 'video', row.id),
    preview_url_expire_time: stamp(new Date(call.now.getTime() + 3_600_000)),
    width: row['width'],
    height: row['height'],
    duration: row['duration'],
    bit_rate: row['bit_rate'] ?? 0,
    size: row['size'] ?? 0,
    format: row['format'] ?? 'mp4',
    signature: row['signature'] ?? '',
    definition: Number(row['height'] ?? 0) >= 1080 ? '1080p' : '720p',
    fps: row['fps'] ?? 30,
    allow_download: true,
    allowed_placements: ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'],
    flaw_types: row['flaw_types'] ?? null,
    fix_task_id: row['fix_task_id'] ?? null,
    create_time: fileTime(row['create_time']),
    modify_time: fileTime(row['modify_time'] ?? row['create_time']),
  };
}
