#!/bin/sh
# Makes what docker-compose.yml takes as secrets: random passwords and keys, one file each. A file that is there is
# left alone, so that it can be run again. The folder is closed to others; the files in it can be read by the users of
# the containers, who are not you.
#   sh deploy/make-secrets.sh [FOLDER]     default: ./secrets
set -eu
folder=${1:-secrets}
umask 022
mkdir -p "$folder"
chmod 700 "$folder"

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# make NAME TEXT
make() {
  if [ -s "$folder/$1" ]; then
    echo "kept $folder/$1"
    return
  fi
  printf '%s\n' "$2" > "$folder/$1.new"
  chmod 644 "$folder/$1.new"
  mv -f "$folder/$1.new" "$folder/$1"
  echo "made $folder/$1"
}

make postgres_password "$(random)"
make notifications_database_url "postgresql://notifications:$(random)@postgres:5432/notifications"
make dispatcher_database_url "postgresql://dispatcher:$(random)@postgres:5432/dispatcher"
make broker_url "amqp://pacifica:$(random)@rabbitmq:5672"
password=$(sed 's|.*//pacifica:\(.*\)@.*|\1|' "$folder/broker_url")
make rabbitmq_user.conf "default_user = pacifica
default_pass = $password"
make secret_key "$(head -c 32 /dev/urandom | base64)"
make receive_auth "basic metadata $(random)"
make api_tokens "$(random) admin admin"
