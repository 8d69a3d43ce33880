# For `source`: a bare Debian 12 of its own, in $root, gone with the script that asked for it. Whatever the host's apt, npm
# and resolver are set up with (mirror, proxy, keys) is carried over. KEEP=1 leaves the root for a look.

# own_namespaces SCRIPT [ARGUMENT...]: runs the script again in some. Whatever happens, mounts go and processes end with it.
own_namespaces() {
  [[ -z ${CLEAN_ROOT_INSIDE:-} ]] || return 0
  CLEAN_ROOT_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$@"
}

start_work() {
  work=$(mktemp -d)
  root=$work/root
  trap cleanup EXIT
}

cleanup() {
  umount --recursive --lazy "$root"/{proc,sys,dev} 2>/dev/null || true
  [[ -n ${KEEP:-} ]] && echo "kept: $root" || rm -rf --one-file-system "$work"
}

# make_root PACKAGE,...: with these packages besides the required ones.
make_root() {
  local sources=()
  shopt -s nullglob
  [[ ! -s /etc/apt/sources.list ]] || sources+=(/etc/apt/sources.list)
  sources+=(/etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list)
  apt-config dump Acquire | grep -v ' "";$' >"$work/apt.conf"
  mmdebstrap --quiet --mode=root --variant=minbase --include="$1" \
    --aptopt="$work/apt.conf" bookworm "$root" "${sources[@]}" || return
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -r /usr/share/keyrings/. "$root/usr/share/keyrings/"
  cp -r /etc/apt/preferences.d/. "$root/etc/apt/preferences.d/"
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
  fi
}

mount_kernel() {
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/sys"
  mount --make-rslave "$root/dev"
}

# An environment as bare as the root, but for the way out.
in_root() {
  local registry environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CI=true)
  registry=$(npm config get registry 2>/dev/null) && environment+=("npm_config_registry=$registry")
  [[ ! -d /usr/local/share/ca-certificates ]] ||
    environment+=(NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || environment+=("$name=${!name}")
  done
  # Not chroot: who is in one may make no user namespaces, which tests do.
  env -i "${environment[@]}" unshare --mount /bin/bash -ec '
    mount --rbind "$1" "$1"
    cd "$1"
    mkdir -p .host
    pivot_root . .host
    cd /
    umount --lazy /.host
    rmdir /.host
    exec /bin/bash -c "$2"' in_root "$root" "$1" </dev/null
}
