#!/bin/sh
# Run once by the postgres image, when its volume is empty: a user and a database for each service, with the password
# that stands in the service's own URL. Later by hand for a further dispatcher: DATABASES names it.
set -eu
secrets=${SECRETS_FOLDER:-/run/secrets}

for service in ${DATABASES:-notifications dispatcher}; do
  password=$(sed 's|.*//[^:]*:\([^@]*\)@.*|\1|' "$secrets/${service}_database_url")
  psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname postgres \
    -v name="$service" -v password="$password" << 'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
