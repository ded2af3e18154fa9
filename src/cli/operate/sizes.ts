/** Numbers of bytes as people read them at a glance: `512 B`, `9.1 KiB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
